// What this phone keeps: a list sealed with a key that never leaves it, and what is to be told.
// A list and its key are deleted together; the queue holds ids and times, no names, and stays.

const LISTS = "shanhai-lists";
const QUEUE = "shanhai-queue";
const SHELL = "shanhai-shell";
const WAITING = "shanhai-waiting"; // for every page: how much waits, and where
const IV_BYTES = 12;
const text = new TextEncoder();

function opened(name) {
  return new Promise((good, bad) => {
    const asked = indexedDB.open(name, 1);
    asked.onupgradeneeded = () => {
      const db = asked.result;
      if (name === LISTS) {
        db.createObjectStore("list", { keyPath: "place" });
        return;
      }
      db.createObjectStore("entry", { keyPath: "sequence", autoIncrement: true });
      db.createObjectStore("device", { keyPath: "name" });
    };
    asked.onsuccess = () => good(asked.result);
    asked.onerror = () => bad(asked.error);
  });
}

// Each piece of work opens and closes: whoever deletes a database is never kept waiting.
async function within(name, mode, work) {
  const db = await opened(name);
  try {
    const tx = db.transaction([...db.objectStoreNames], mode, { durability: "strict" });
    const asked = work(tx);
    return await new Promise((good, bad) => {
      tx.oncomplete = () => good(asked?.result);
      tx.onabort = () => bad(tx.error);
    });
  } finally {
    db.close();
  }
}

export async function keepList(place, list) {
  const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, [
    "encrypt",
    "decrypt",
  ]);
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const how = { name: "AES-GCM", iv, additionalData: text.encode(place) };
  const sealed = await crypto.subtle.encrypt(how, key, text.encode(JSON.stringify(list)));
  const record = { place, key, iv, sealed, signIn: list.sign_in, until: list.until };
  await within(LISTS, "readwrite", (tx) => tx.objectStore("list").put(record));
}

// The list of a place, or null; one that is over is deleted.
export async function openList(place, now) {
  const record = await within(LISTS, "readonly", (tx) => tx.objectStore("list").get(place));
  if (!record) return null;
  if (Date.parse(record.until) <= now) {
    await wipe(place);
    return null;
  }
  const how = { name: "AES-GCM", iv: record.iv, additionalData: text.encode(place) };
  const open = await crypto.subtle.decrypt(how, record.key, record.sealed);
  return JSON.parse(new TextDecoder().decode(open));
}

export async function wipe(place) {
  await within(LISTS, "readwrite", (tx) => tx.objectStore("list").delete(place));
}

// Lists of another sign-in are nobody's any more, and neither are those whose time is over.
export async function wipeOthers(signIn, now) {
  await within(LISTS, "readwrite", (tx) => {
    const lists = tx.objectStore("list");
    lists.openCursor().onsuccess = (event) => {
      const at = event.target.result;
      if (!at) return;
      if (at.value.signIn !== signIn || Date.parse(at.value.until) <= now) at.delete();
      at.continue();
    };
  });
}

export async function add(entries) {
  await within(QUEUE, "readwrite", (tx) => {
    for (const entry of entries) tx.objectStore("entry").add(entry);
  });
  await note();
}

export async function change(entry) {
  await within(QUEUE, "readwrite", (tx) => tx.objectStore("entry").put(entry));
  await note();
}

export async function drop(entries) {
  await within(QUEUE, "readwrite", (tx) => {
    for (const { sequence } of entries) tx.objectStore("entry").delete(sequence);
  });
  await note();
}

export function entries() {
  return within(QUEUE, "readonly", (tx) => tx.objectStore("entry").getAll());
}

async function note() {
  const waiting = (await entries()).filter((entry) => entry.state === "waiting");
  if (!waiting.length) localStorage.removeItem(WAITING);
  else localStorage.setItem(WAITING, JSON.stringify({ n: waiting.length, go: waiting[0].place }));
}

// What is known of this phone: its id, whose it was last, and how far its clock is off.
export async function device() {
  const known = await within(QUEUE, "readonly", (tx) => tx.objectStore("device").get("this"));
  return known ?? remember({ name: "this", id: crypto.randomUUID(), offset: 0, account: null });
}

export async function remember(known) {
  await within(QUEUE, "readwrite", (tx) => tx.objectStore("device").put(known));
  return known;
}

// The page itself and all it is made of: it holds nobody's data.
export async function keepShell() {
  const shell = await caches.open(SHELL);
  const answer = await fetch(location.pathname, { cache: "no-store" });
  if (!answer.ok || answer.redirected) return;
  await shell.put(location.pathname, answer);
  const made = performance.getEntriesByType("resource").map((part) => new URL(part.name));
  const linked = [...document.querySelectorAll("link[href], script[src]")].map(
    (part) => new URL(part.href || part.src),
  );
  const ours = [...made, ...linked].filter(
    (url) => url.origin === location.origin && /^\/(static|fonts)\//.test(url.pathname),
  );
  await Promise.all(
    [...new Set(ours.map((url) => url.pathname))].map(async (path) => {
      if (!(await shell.match(path))) await shell.add(path);
    }),
  );
}

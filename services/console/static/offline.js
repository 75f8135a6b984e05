// A page that works without a network: a list that comes along, what is noted, and its sync.
import { camera } from "./camera.js";
import { Away, Refused, SignedOut, post, sendAll, signedIn } from "./link.js";
import * as store from "./store.js";

const RETRY_MS = 15000;
const WORKER_MS = 5000;

export class Page {
  // `kind` says what a list of this kind is about; see boarding.js and front_desk.js.
  constructor(kind) {
    this.kind = kind;
    this.root = document.querySelector("[data-offline]");
    this.place = this.root.dataset.offline;
    this.words = JSON.parse(this.root.dataset.words);
    this.list = null; // what is on the screen; `carried` tells whether this phone keeps it, too
    this.carried = false;
    this.queue = [];
    this.link = "on";
    this.rows = new Map();
  }

  part(name) {
    return this.root.querySelector(`[data-${name}]`);
  }

  word(key, values = {}) {
    return this.words[key].replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  }

  say(good, key, values) {
    const said = this.part("said");
    said.textContent = this.word(key, values);
    said.dataset.kind = good ? "good" : "bad";
  }

  // Business time, as far as this phone knows it: its own clock may be wrong by hours.
  now() {
    return Date.now() + this.device.offset;
  }

  async start() {
    this.device = await store.device();
    await this.load();
    if (!this.carried) await store.drop(this.mine("done"));
    this.worker = navigator.serviceWorker?.register("/worker.js", {
      scope: `/${this.place.split("/")[1]}/`,
    });
    this.worker?.catch(() => {});
    this.listen();
    this.kind.opened?.(this);
    await this.refresh();
    await this.sync();
    this.root.dataset.ready = "yes";
  }

  async load() {
    try {
      this.list = await store.openList(this.place, this.now());
    } catch {
      // A list that can't be opened any more is none.
      await store.wipe(this.place);
    }
    this.carried = this.list !== null;
    this.queue = await store.entries();
  }

  listen() {
    addEventListener("online", () => this.sync());
    addEventListener("offline", () => this.refresh((this.link = "off")));
    addEventListener("pageshow", (event) => event.persisted && location.reload());
    document.addEventListener("visibilitychange", () => document.hidden || this.sync());
    setInterval(() => {
      if (this.link !== "on" || this.mine("waiting").length) this.sync();
    }, RETRY_MS);
    this.part("send").addEventListener("click", () => this.sync());
    this.part("wipe").addEventListener("click", () => this.wipe());
    this.part("take").addEventListener("submit", (event) => {
      event.preventDefault();
      this.take(event.target.purpose.value.trim());
    });
    const find = this.part("find");
    find.addEventListener("input", () => this.draw());
    this.part("finding").addEventListener("submit", (event) => {
      event.preventDefault();
      this.found(find.value.trim());
    });
    camera(this.root, (text) => this.found(text), () => this.say(false, "no_camera"));
    this.kind.listen?.(this);
  }

  mine(state) {
    return this.queue.filter((entry) => entry.place === this.place && entry.state === state);
  }

  // --- taking along, and giving up ---

  async take(purpose, me) {
    try {
      const list = await post(`${this.place}/list`, { purpose }, me ?? (await signedIn()));
      list.purpose = purpose;
      this.device = await store.remember({
        ...this.device, account: list.account, offset: Date.parse(list.now) - Date.now(),
      });
      await store.keepList(this.place, list);
      await this.keepPage();
      [this.list, this.carried] = [list, true];
      this.kind.opened?.(this);
      this.say(true, "taken", { n: list.people.length });
      navigator.storage?.persist?.();
    } catch (error) {
      if (!(error instanceof Away || error instanceof Refused)) throw error;
      if (error instanceof Away) this.link = error instanceof SignedOut ? "out" : "off";
      const why = error instanceof Refused ? error.message : this.word("no_network");
      this.say(false, "take_failed", { why });
    }
    await this.refresh();
  }

  // Without its worker the page would not come up again where there is no network.
  async keepPage() {
    const patience = new Promise((good) => setTimeout(good, WORKER_MS));
    await Promise.race([navigator.serviceWorker?.ready, patience]);
    await store.keepShell();
  }

  async wipe() {
    await this.sync();
    const waiting = this.mine("waiting").length;
    if (waiting) {
      this.say(false, "wipe_first", { n: waiting });
      return;
    }
    await this.forget();
    this.list = null;
    this.say(true, "not_carried");
    await this.refresh();
  }

  // Delete what this phone keeps of the list; the rows on the screen stay until the page is left.
  async forget() {
    for (const entry of this.mine("done")) {
      const person = this.person(entry.person);
      if (person) person.state = this.kind.done;
      else this.kind.told?.(entry, this);
    }
    await store.wipe(this.place);
    await store.drop(this.mine("done"));
    this.carried = false;
    this.queue = await store.entries();
  }

  // --- noting and telling ---

  person(id) {
    return this.list?.people.find((one) => one.id === id);
  }

  entry(id) {
    return this.queue.findLast(
      (one) => one.place === this.place && one.person === id && one.state !== "refused",
    );
  }

  // Note that something was done, for good, before anything is said about it.
  async note(all) {
    const at = new Date(this.now()).toISOString();
    const entries = all.map(({ person, label, command }) => ({
      place: this.place, account: this.device.account, device: this.device.id, at,
      person: person.id, number: person.number, mark: person.mark, label, tries: 0,
      state: "waiting", late: this.link !== "on", ...command(at),
    }));
    await store.add(entries);
    await this.refresh();
    this.sync();
  }

  async noteOne(person, ticket) {
    const known = this.entry(person.id);
    if (known || !this.kind.awaited(person)) {
      this.say(false, "twice", { who: person.name });
      return;
    }
    this.say(true, "here_noted", { who: person.name });
    const find = this.part("find");
    if (find.value) {
      // Who was looked for is found: the next one is.
      find.value = "";
      find.focus();
    }
    await this.note([{ person, command: (at) => this.kind.command(person, at, ticket) }]);
  }

  // One round at a time; whoever asks during one waits for the next.
  sync() {
    this.next ??= (this.running ?? Promise.resolve()).then(() => {
      this.running = this.next;
      this.next = null;
      return this.round();
    });
    return this.next;
  }

  async round() {
    const told = [];
    try {
      const me = await signedIn();
      await this.meet(me);
      await sendAll(me, (entry) => told.push(entry));
      this.link = "on";
      await this.after(told, me);
    } catch (error) {
      if (!(error instanceof Away)) throw error;
      await this.lost(error);
    }
    if (told.length === 1) this.tell(told[0]);
    await this.refresh();
  }

  async meet(me) {
    const offset = Date.parse(me.now) - Date.now();
    this.device = await store.remember({ ...this.device, account: me.account, offset });
    await store.wipeOthers(me.sign_in, this.now());
    if (this.list && this.list.sign_in !== me.sign_in) [this.list, this.carried] = [null, false];
    if (this.carried && !this.fresh) this.fresh = store.keepShell();
  }

  async lost(error) {
    this.link = error instanceof SignedOut ? "out" : "off";
    this.queue = await store.entries();
    for (const entry of this.mine("waiting")) {
      if (!entry.late) await store.change({ ...entry, late: true });
    }
    if (this.link === "out") {
      await store.wipeOthers(null, this.now());
      [this.list, this.carried] = [null, false];
    }
  }

  // A sync is when all is told that was noted without a network: then the list is deleted here.
  // It comes along anew, for who is still awaited, where the way goes on without a network.
  async after(told, me) {
    this.queue = await store.entries();
    const here = told.filter((entry) => entry.place === this.place);
    if (here.length) {
      const synced = { ...this.device.synced, [this.place]: new Date(this.now()).toISOString() };
      this.device = await store.remember({ ...this.device, synced });
    }
    if (!this.list || !this.carried || this.mine("waiting").length) return;
    const awaited = this.list.people.some(
      (one) => this.isAwaited(one) && (this.kind.expects?.(one, this) ?? true),
    );
    if (awaited && !here.some((entry) => entry.late)) return;
    await this.forget();
    this.say(true, "wiped");
    if (awaited && this.root.dataset.again) await this.take(this.list.purpose, me);
  }

  isAwaited(person) {
    return this.kind.awaited(person) && !this.entry(person.id);
  }

  tell(entry) {
    const who = this.name(entry);
    if (entry.state === "done") this.say(true, "here_done", { who });
    else this.say(false, "here_refused", { who, why: entry.why });
  }

  name(entry) {
    const known = this.person(entry.person);
    if (known) return known.name;
    return entry.label ?? `${this.word("row", entry)} ${entry.mark}`;
  }

  // --- finding ---

  async found(text) {
    if (!text) return;
    if (await this.kind.read(text, this)) {
      this.part("find").value = "";
      this.draw();
      return;
    }
    const matches = this.matching(text);
    if (matches.length === 1) {
      // The last word is a press of the button: a number mistyped boards nobody.
      this.rows.get(matches[0].id)?.querySelector("[data-do]").focus();
    } else if (matches.length) this.say(false, "choose", { n: matches.length });
    else this.say(false, this.list ? "nobody" : "unreadable");
  }

  matching(text) {
    const wanted = text.toLowerCase();
    const of = (one) => [one.name, one.mark, one.room ?? ""].join(" ").toLowerCase();
    return (this.list?.people ?? []).filter((one) =>
      /^\d+$/.test(wanted) && !one.room ? String(one.number) === wanted : of(one).includes(wanted),
    );
  }

  // --- drawing ---

  async refresh() {
    this.queue = await store.entries();
    this.drawState();
    this.drawConflicts();
    this.draw();
  }

  drawState() {
    const link = this.part("link");
    link.dataset.state = this.link === "on" ? "on" : "off";
    const word = { on: "online", off: "offline", out: "signed_out" }[this.link];
    const others = this.queue.filter(
      (one) => one.state === "waiting" && (one.account ?? this.device.account) !== this.device.account,
    );
    const more = others.length ? ` ${this.word("other_account", { n: others.length })}` : "";
    link.textContent = this.word(word) + more;
    const waiting = this.mine("waiting").length;
    this.part("waiting").textContent = waiting;
    const synced = this.device.synced?.[this.place];
    if (synced) {
      const how = { hour: "2-digit", minute: "2-digit", timeZone: "Asia/Shanghai" };
      const lang = document.documentElement.lang;
      this.part("synced").textContent = new Date(synced).toLocaleTimeString(lang, how);
    }
    const n = this.list?.people.length ?? 0;
    this.part("carried").textContent = this.word(this.carried ? "carried" : "not_carried", { n });
    this.part("carried").dataset.carried = this.carried ? "yes" : "no";
    this.part("send").hidden = waiting === 0;
    this.part("wipe").hidden = !this.carried;
    this.part("taking").hidden = this.carried || this.link !== "on";
  }

  drawConflicts() {
    const refused = this.mine("refused");
    this.part("conflicts").hidden = refused.length === 0;
    this.part("count").textContent = refused.length;
    this.part("list").replaceChildren(...refused.map((entry) => this.conflict(entry)));
  }

  conflict(entry) {
    const item = this.part("conflict").content.cloneNode(true).firstElementChild;
    const put = (name) => item.querySelector(`[data-${name}]`);
    put("who").textContent = this.name(entry);
    put("at").textContent = new Date(entry.at).toLocaleString(document.documentElement.lang, {
      timeZone: "Asia/Shanghai",
    });
    put("why").textContent = entry.why;
    put("todo").textContent = entry.todo;
    if (entry.go) [put("go").href, put("go").hidden] = [entry.go, false];
    put("retry").addEventListener("click", async () => {
      // Another try is another question: the answer to the first is kept under its key.
      await store.change({ ...entry, state: "waiting", tries: entry.tries + 1 });
      await this.refresh();
      this.sync();
    });
    put("settled").addEventListener("click", async () => {
      await store.drop([entry]);
      await this.refresh();
    });
    return item;
  }

  draw() {
    const text = this.part("find").value.trim();
    const shown = text ? this.matching(text) : this.kind.shown(this);
    const at = document.activeElement;
    const focused = at?.closest?.("[data-person]")?.dataset.person;
    this.rows = new Map(shown.map((one) => [one.id, this.row(one)]));
    this.part("people").replaceChildren(...this.rows.values());
    if (focused) this.refocus(focused, at.matches("[data-absent]"));
    this.part("total").textContent = this.kind.shown(this).length;
    this.part("empty").hidden = this.list !== null;
    this.kind.draw?.(this);
  }

  // Whose row was at hand and is done now leads on to the next one.
  refocus(id, onBox) {
    const box = onBox && this.rows.get(id)?.querySelector("label:not([hidden]) [data-absent]");
    if (box) {
      box.focus();
      return;
    }
    const rows = [...this.rows.values()];
    const at = rows.findIndex((row) => row.dataset.person === id);
    const next = [...rows.slice(at), ...rows.slice(0, at)]
      .map((row) => row.querySelector("[data-do]:not([hidden])"))
      .find(Boolean);
    (next ?? this.part("find")).focus();
  }

  row(person) {
    const row = this.part("row").content.cloneNode(true).firstElementChild;
    const entry = this.entry(person.id);
    const awaited = this.isAwaited(person);
    row.dataset.person = person.id;
    row.querySelector("[data-number]").textContent = person.room ?? person.number;
    for (const name of row.querySelectorAll("[data-name]")) name.textContent = person.name;
    row.querySelector("[data-mark]").textContent = person.mark;
    const state = row.querySelector("[data-state]");
    state.hidden = awaited;
    state.textContent = this.word(entry?.state === "waiting" ? "noted_row" : this.kind.doneWord);
    state.classList.add(entry?.state === "waiting" ? "s-waiting" : "s-done");
    const button = row.querySelector("[data-do]");
    button.hidden = !awaited;
    button.addEventListener("click", () => this.noteOne(person));
    this.kind.row?.(row, person, this);
    return row;
  }
}

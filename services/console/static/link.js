// The way to the server: who is signed in, and telling what was noted, in order, once each.
import { change, entries } from "./store.js";

const PATIENCE_MS = 12000;

// No answer, or one that says "not now": whatever it was about is told again later.
export class Away extends Error {}
// Nobody is signed in any more.
export class SignedOut extends Away {}
// The server's own refusal.
export class Refused extends Error {}

async function ask(path, options = {}) {
  let answer;
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    answer = await fetch(path, { cache: "no-store", redirect: "error", signal, ...options });
  } catch {
    throw new Away();
  }
  if (answer.status === 401) throw new SignedOut();
  if (answer.status === 429 || answer.status >= 500) throw new Away();
  return answer;
}

export async function signedIn() {
  const answer = await ask("/offline/sign-in");
  if (!answer.ok) throw new Away();
  return answer.json();
}

export async function post(path, body, me, key) {
  const headers = { "Content-Type": "application/json", "X-Form-Token": me.form_token };
  if (key) headers["Idempotency-Key"] = key;
  const answer = await ask(path, { method: "POST", headers, body: JSON.stringify(body) });
  if (answer.ok) return answer.json();
  const problem = await answer.json().catch(() => ({}));
  // The sign-in changed while we spoke: the next round asks again who is there.
  if (problem.code === "wrong_form_token") throw new Away();
  throw new Refused(problem.detail ?? String(answer.status));
}

// One window sends at a time; sent twice an entry still counts once, by its key.
export function sendAll(me, heard) {
  return navigator.locks.request("shanhai-send", async () => {
    for (const entry of await entries()) {
      if (entry.state !== "waiting" || (entry.account ?? me.account) !== me.account) continue;
      let answer;
      try {
        answer = await post(entry.url, entry.body, me, `${entry.device}.${entry.sequence}.${entry.tries}`);
      } catch (error) {
        if (error instanceof Away) throw error;
        answer = { accepted: false, detail: error.message, todo: "" };
      }
      entry.state = answer.accepted ? "done" : "refused";
      entry.why = answer.detail ?? "";
      entry.todo = answer.todo ?? "";
      entry.go = answer.go ?? "";
      await change(entry);
      heard(entry);
    }
  });
}

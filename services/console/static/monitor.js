// The live stream: news on top, pause with a count, and a word for whatever is not shown.
"use strict";

const ROWS_MAX = 300; // what a person can scroll through; more only costs memory
const STANDING_MS = 3000;
const NEW_MS = 1500;

const live = document.querySelector("[data-live]");
const list = live.querySelector("[data-list]");
const state = live.querySelector("[data-link]");
const button = live.querySelector("[data-pause-button]");
const words = live.dataset;
let held = null; // while paused: what came since, at most ROWS_MAX of it
let heldCount = 0;

function row(item) {
  const li = document.createElement("li");
  li.dataset.id = item.id;
  li.className = "new";
  const time = document.createElement("time");
  time.textContent = item.at;
  const service = document.createElement("span");
  service.className = `svc v-${item.service}`;
  service.textContent = item.service_name;
  const said = document.createElement("span");
  said.className = "said";
  said.innerHTML = item.html; // escaped by the server; the policy lets no script run in any case
  li.said = item.html;
  li.journeys = [item.journey];
  if (item.journey) said.append(" ", linkTo(item.journey, words.journey));
  li.append(time, service, said);
  setTimeout(() => li.classList.remove("new"), NEW_MS);
  return li;
}

function linkTo(journey, text) {
  const link = document.createElement("a");
  link.href = `/monitor/journeys/${journey}`;
  link.textContent = text;
  return link;
}

// What says the same as the line above it is counted there; its journey is one click away.
function fold(li, item) {
  li.journeys.push(item.journey);
  li.querySelector("time").textContent = item.at;
  let details = li.querySelector("details");
  if (!details) {
    details = document.createElement("details");
    details.className = "fold";
    details.append(document.createElement("summary"), document.createElement("span"));
    details.lastChild.className = "fold-in";
    const said = li.querySelector(".said");
    const link = said.querySelector(":scope > a");
    if (link) link.replaceWith(details);
    else said.append(" ", details);
    if (li.journeys[0]) details.lastChild.append(linkTo(li.journeys[0], `${words.journey} 1`), " ");
  }
  details.firstChild.innerHTML = `× <b>${li.journeys.length}</b>`;
  if (item.journey) {
    details.lastChild.append(linkTo(item.journey, `${words.journey} ${li.journeys.length}`), " ");
  }
}

function show(items, left) {
  const fresh = document.createDocumentFragment();
  let top = list.firstElementChild;
  for (const item of items) {
    if (top && top.said === item.html) {
      fold(top, item);
    } else {
      top = row(item);
      fresh.prepend(top);
    }
  }
  if (left > 0) {
    const gap = document.createElement("li");
    gap.className = "gap";
    gap.textContent = words.older.replace("{n}", left);
    fresh.append(gap);
  }
  const none = list.querySelector(".empty");
  if (none) none.remove();
  list.prepend(fresh);
  while (list.children.length > ROWS_MAX) list.lastElementChild.remove();
}

function tell(kind, text) {
  state.dataset.state = kind;
  state.textContent = text;
}

function take(items) {
  if (held === null) {
    show(items.slice(-ROWS_MAX), Math.max(0, items.length - ROWS_MAX));
    return;
  }
  held.push(...items);
  heldCount += items.length;
  held.splice(0, held.length - ROWS_MAX);
  tell("held", words.held.replace("{n}", heldCount));
}

button.hidden = false;
button.addEventListener("click", () => {
  if (held === null) {
    held = [];
    heldCount = 0;
    button.textContent = words.resume;
    tell("held", words.held.replace("{n}", 0));
  } else {
    const items = held;
    held = null;
    button.textContent = words.pause;
    tell("on", words.on);
    show(items, heldCount - items.length);
  }
});

// The browser reconnects by itself and names the last position it saw: nothing is left out.
const source = new EventSource(words.stream);
source.addEventListener("open", () => { if (held === null) tell("on", words.on); });
source.addEventListener("error", () => { if (held === null) tell("off", words.off); });
source.addEventListener("message", (event) => take(JSON.parse(event.data)));

// The standing part comes as HTML, when somebody looks at the page.
const standing = document.querySelector("[data-standing]");
async function refresh() {
  if (!document.hidden && !standing.contains(document.activeElement)) {
    try {
      const answer = await fetch(standing.dataset.standing, { headers: { "X-Part": "standing" } });
      if (answer.ok && !answer.redirected) standing.innerHTML = await answer.text();
    } catch {
      // The stream's own state already tells that the link is down.
    }
  }
  setTimeout(refresh, STANDING_MS);
}
setTimeout(refresh, STANDING_MS);

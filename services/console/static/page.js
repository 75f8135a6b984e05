// What every page does a little better with a script: nothing here is needed to use a page.
"use strict";

// Ticking all rows of a list, and telling how many are ticked.
for (const form of document.querySelectorAll("form[data-ticks]")) {
  const boxes = [...form.querySelectorAll("tbody input[type=checkbox]")];
  const all = form.querySelector("[data-all]");
  const told = form.querySelector("[data-ticked]");
  const first = told && told.textContent;
  const tell = () => {
    const n = boxes.filter((box) => box.checked).length;
    if (told) told.textContent = n ? told.dataset.ticked.replace("{n}", n) : first;
    if (all) {
      all.checked = n > 0 && n === boxes.length;
      all.indeterminate = n > 0 && n < boxes.length;
    }
  };
  if (all) {
    all.hidden = false;
    all.addEventListener("change", () => {
      for (const box of boxes) box.checked = all.checked;
      tell();
    });
  }
  form.addEventListener("change", tell);
  tell();
}

// A form is sent once, however often the button is pressed.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  else if (event.target.method === "post") event.target.dataset.sent = "yes";
});
addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

// On a phone the page one is on may stand outside of the row of links.
const here = document.querySelector(".nav [aria-current]");
if (here) {
  const row = here.parentElement;
  row.scrollLeft = here.offsetLeft - row.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;
}

// Menus close when one looks elsewhere.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
});

// Lists that a phone took along for a sign-in go with it; what is still to be told stays.
function forgetLists() {
  indexedDB.deleteDatabase("shanhai-lists");
  globalThis.caches?.delete("shanhai-shell");
}
if (document.querySelector(".gate-form")) forgetLists();
document.addEventListener("submit", (event) => {
  if (event.target.action.endsWith("/sign-out")) forgetLists();
});

// Whatever page is opened says that something noted without a network is still to be sent.
const left = document.querySelector("[data-left]");
const waiting = JSON.parse(localStorage.getItem("shanhai-waiting") ?? "null");
if (left && waiting) {
  left.hidden = false;
  left.firstElementChild.href = waiting.go;
  left.firstElementChild.textContent = left.dataset.left.replace("{n}", waiting.n);
}

// Finding a guest by a few characters of the name or the room.
"use strict";

const finder = document.querySelector("[data-finder]");
if (finder) {
  finder.hidden = false;
  const input = finder.querySelector("input");
  const rows = [...document.querySelectorAll("[data-filterable] tbody tr")];
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
}

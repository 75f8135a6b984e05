// A roster's page follows the checks live, and its faults can be copied into a sheet.
"use strict";

const EVERY_MS = 700;

const card = document.querySelector("[data-progress]");
async function follow() {
  try {
    const answer = await fetch(card.dataset.progress);
    if (answer.ok && !answer.redirected) {
      card.innerHTML = await answer.text();
      if (card.querySelector("[data-final=yes]")) {
        location.reload();
        return;
      }
    }
  } catch {
    // The next try tells.
  }
  setTimeout(follow, EVERY_MS);
}
if (card.dataset.progress) setTimeout(follow, EVERY_MS);

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const rows = [...document.getElementById(button.dataset.copy).rows];
    const cell = (td) => td.textContent.trim().replace(/\s+/g, " ");
    await navigator.clipboard.writeText(
      rows.map((row) => [...row.cells].map(cell).join("\t")).join("\n"),
    );
    button.textContent = button.dataset.copied;
  });
}

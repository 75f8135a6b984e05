// Dragging a roster onto its place: the plain file field stays what is sent.
"use strict";

for (const place of document.querySelectorAll("[data-drop]")) {
  const input = place.querySelector("input[type=file]");
  const name = place.querySelector("[data-name]");
  const tell = () => {
    const file = input.files[0];
    if (file) name.textContent = place.dataset.dropped.replace("{name}", file.name);
  };
  input.addEventListener("change", tell);
  for (const kind of ["dragenter", "dragover"]) {
    place.addEventListener(kind, (event) => {
      event.preventDefault();
      place.classList.add("over");
    });
  }
  for (const kind of ["dragleave", "drop"]) {
    place.addEventListener(kind, (event) => {
      event.preventDefault();
      place.classList.remove("over");
    });
  }
  place.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    tell();
  });
}

import { el } from "./dom.js";
import { count, joined } from "./figure_words.js";

/**
 * Return the note above images and panel, that they are of the former exam, while other files have
 * no answer. `main` carries the class `former` meanwhile.
 */
export function createFormer(main, store) {
  const note = el("p", { class: "former-note", hidden: true });
  store.subscribe(({ answer, pending, files, images }) => {
    const isFormer = Boolean(answer && pending);
    note.hidden = !isFormer;
    main.classList.toggle("former", isFormer);
    if (isFormer) note.textContent = formerWords(files, images, pending);
  });
  return note;
}

function formerWords(files, images, pending) {
  const number = count(files.length, "file");
  const labels = joined(images.filter(Boolean).map(({ label }) => label));
  const isReading = pending.some(({ status }) => status === "reading");
  const end = isReading ? "no answer yet" : "no answer";
  return `Below: the former exam, of ${number} (${labels}). The new files have ${end}.`;
}

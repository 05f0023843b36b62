import { el } from "./dom.js";
import { askAbout } from "./exam.js";
import { store } from "./store.js";

const VIEWS = "CC MLO ML LM LMO SIO ISO FB XCC XCCL XCCM CV AT".split(" ");

/** Return whether a file's header says neither or only one of side and view. */
export function lacksFacts(image) {
  const { laterality_source: side, view_source: view } = image.answered.image;
  return side !== "header" || view !== "header";
}

/** Let the reader set side and view of the files that do not say, and ask again. */
export function setFacts() {
  const { files, images } = store.state;
  const rows = images.filter((image) => image && lacksFacts(image)).map((image) =>
    asRow(image, files[image.index]),
  );
  const cancel = el("button", { type: "button", text: "Cancel" });
  const form = el(
    "form",
    {},
    el("h2", { text: "Side and view" }),
    el("p", { class: "quiet", text: "Of files whose header does not say. A header counts more." }),
    ...rows.map((row) => row.element),
    el("p", {}, el("button", { class: "main", text: "Ask again" }), cancel),
  );
  const dialog = el("dialog", { "aria-label": "Side and view" }, form);
  cancel.onclick = () => dialog.close();
  dialog.onclose = () => dialog.remove();
  form.onsubmit = (event) => {
    event.preventDefault();
    dialog.close();
    const named = new Map(rows.map((row) => [row.index, row.read()]));
    askAbout(files.map((file, index) => ({ ...file, ...named.get(index) })));
  };
  document.body.append(dialog);
  dialog.showModal();
}

function asRow({ index, name, answered }, file) {
  const { laterality, view } = answered.image;
  const side = choice("Side", [["L", "left"], ["R", "right"]], laterality);
  const other = choice("View", VIEWS.map((value) => [value, value]), view);
  const element = el("fieldset", {}, el("legend", { text: name }), side.label, other.label);
  const read = () => {
    const chosen = { side: side.select.value, view: other.select.value };
    if (!chosen.side || !chosen.view) return { side: null, view: null, proposed: false };
    const proposed = file.proposed && chosen.side === file.side && chosen.view === file.view;
    return { ...chosen, proposed };
  };
  return { index, element, read };
}

function choice(text, options, value) {
  const select = el("select", {}, el("option", { value: "", text: "unknown" }));
  select.append(...options.map(([code, word]) => el("option", { value: code, text: word })));
  select.value = value ?? "";
  return { select, label: el("label", {}, `${text} `, select) };
}

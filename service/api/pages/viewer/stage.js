import { el } from "./dom.js";
import { lacksFacts, setFacts } from "./facts_dialog.js";
import { arrange, hang, hungImages, PLACES } from "./hanging.js";
import { hiddenHeat } from "./heat_layer.js";
import { store } from "./store.js";
import { View } from "./view.js";
import {
  decisionWord,
  HIDDEN,
  NEGATIVE_NOTE,
  NOT_COUNTED,
  percent,
  problemText,
  viewName,
} from "./words.js";

const LAYOUTS = [
  [4, "Four views"],
  [2, "Two views"],
  [1, "One view"],
];
const REDRAWN_BY = "images files current layout pairing shown acknowledged heat".split(" ");
let slots = [];

/** Return the views as they hang, the choice of the layout, and the strip of all else. */
export function createStage() {
  slots = PLACES.map(createSlot);
  const figures = el("div", { class: "figures" }, ...slots.map((slot) => slot.figure));
  const bar = el("div", { class: "bar", role: "group", "aria-label": "Layout" });
  const strip = el("div", { class: "strip" });
  const stage = el("div", { class: "hung", hidden: true }, bar, figures, strip);
  store.subscribe((state, changed) => {
    if (!state.answer || !REDRAWN_BY.some((key) => changed.has(key))) return;

    stage.hidden = false;
    drawBar(bar, state);
    drawFigures(figures, state);
    if (["images", "files", "current"].some((key) => changed.has(key))) drawStrip(strip, state);
    if (changed.has("files") && document.activeElement === document.body) choose(state.current);
  });
  return stage;
}

/** Make an image the current one and give its figure the focus. */
function choose(index) {
  const { images, layout } = store.state;
  const isPlaced = hungImages(images).includes(index);
  store.change({ current: index, layout: isPlaced ? layout : 1 });
  requestAnimationFrame(() => slots.find((slot) => slot.index === index)?.figure.focus());
}

/**
 * Go to the next or (-1) the former image. With one view shown, or if none hangs, those of the
 * strip come after.
 */
export function step(by) {
  const { images, current, layout } = store.state;
  const { strip } = hang(images);
  const placed = hungImages(images);
  const hasStrip = layout === 1 || placed.length === 0;
  const order = hasStrip ? [...placed, ...strip.map(({ index }) => index)] : placed;
  if (order.length > 0) choose(order.at((order.indexOf(current) + by) % order.length));
}

/** Show or hide the heat of the current image, if that was decided negative. */
export function toggleNegative(index = store.state.current) {
  const shown = new Set(store.state.shown);
  if (!shown.delete(index)) shown.add(index);
  store.change({ shown });
}

/** Choose a layout. The second choice of two views changes what they share. */
export function chooseLayout(layout) {
  const { layout: former, pairing, images, current } = store.state;
  if (layout === 2 && former === 2) {
    store.change({ pairing: pairing === "view" ? "side" : "view" });
    return;
  }
  const placed = hungImages(images);
  if (placed.length === 0) return;

  const needsPlaced = layout > 1 && !placed.includes(current);
  store.change({ layout, current: needsPlaced ? placed[0] : current });
}

function createSlot(_, number) {
  const caption = el("figcaption", { id: `caption-${number}` });
  const frame = el("div", { class: "frame" });
  const figure = el("figure", { "aria-labelledby": caption.id }, caption, frame);
  const slot = { figure, caption, frame, view: new View(frame, store), index: null };
  const makeCurrent = () => {
    if (slot.index !== null) store.change({ current: slot.index });
  };
  figure.addEventListener("focusin", makeCurrent);
  figure.addEventListener("pointerdown", makeCurrent);
  return slot;
}

function drawBar(bar, { layout, images }) {
  const isHung = hangs(images);
  const unnamed = isHung && images.some((image) => image && lacksFacts(image));
  const buttons = LAYOUTS.map(([value, text]) =>
    el("button", {
      text,
      disabled: !isHung && value > 1,
      "aria-pressed": String(layout === value),
      onclick: () => chooseLayout(value),
    }),
  );
  const facts = unnamed && el("button", { text: "Set side and view…", onclick: setFacts });
  const focused = [...bar.children].indexOf(document.activeElement);
  bar.replaceChildren(...buttons, ...(facts ? [facts] : []));
  bar.children[focused]?.focus();
}

/** Return whether an image has a place among the standard views. */
const hangs = (images) => hungImages(images).length > 0;

function drawFigures(figures, state) {
  const shown = arrange(state);
  figures.dataset.count = shown.length;
  slots.forEach((slot, number) => {
    const at = shown[number];
    slot.figure.hidden = !at;
    if (at) drawSlot(slot, at, state);
    else setImage(slot, null);
  });
}

function drawSlot(slot, { place, index }, state) {
  const image = state.images[index] ?? null;
  const isCurrent = image !== null && index === state.current;
  setImage(slot, image);
  slot.figure.className = image ? "" : "missing";
  slot.figure.dataset.place = place ?? "";
  slot.figure.tabIndex = isCurrent ? 0 : -1;
  if (isCurrent) slot.figure.setAttribute("aria-current", "true");
  else slot.figure.removeAttribute("aria-current");
  if (image) drawCaption(slot.caption, image, state);
  else slot.caption.replaceChildren(...missing(place));
}

function setImage(slot, image) {
  slot.index = image?.index ?? null;
  if (slot.view.image !== image) slot.view.image = image;
}

function missing(place) {
  const [side, view] = place.split(" ");
  return [
    el("strong", { text: `${place} is missing` }),
    el("span", { class: "quiet", text: `No image of the ${viewName(side, view)} counts.` }),
  ];
}

function drawCaption(caption, image, state) {
  const { prediction, warnings } = image.answered;
  const { shape, word, name } = decisionWord(prediction.positive);
  const share = prediction.probabilities[prediction.positive_class];
  const count = warnings.length === 1 ? "1 warning" : `${warnings.length} warnings`;
  const sign = el("span", { "aria-hidden": "true", text: shape });
  const parts = [
    el("strong", { class: "label", text: image.label }),
    el("span", { class: `decision ${name}` }, sign, ` ${word}`),
    el("span", { class: "share", text: percent(share) }),
    warnings.length > 0 && el("span", { class: "caution", text: `⚠ ${count}` }),
    lacksFact(image) && el("span", { class: "name", text: image.name }),
    ...origin(image, state.files).map((text) => el("span", { class: "quiet", text })),
    ...heatNote(image, state),
  ];
  const hadFocus = caption.contains(document.activeElement);
  caption.replaceChildren(...parts.filter(Boolean));
  if (hadFocus) caption.querySelector("button")?.focus();
}

/** Return whether nothing says the side or the view of an image. */
const lacksFact = ({ answered: { image } }) => !image.laterality || !image.view;

/** Return notes on side and view that the header does not give, and on a mirrored view. */
function origin({ index, answered, mirrored }, files) {
  const sources = [answered.image.laterality_source, answered.image.view_source];
  const named = files[index].proposed ? "by file name" : "by you";
  return [sources.includes("caller") && named, mirrored && "shown mirrored"].filter(Boolean);
}

/** Return what is said about the heat of an image beside its canvas. */
function heatNote(image, state) {
  const isNegative = image.answered.prediction.positive === false;
  const hidden = hiddenHeat(state, image);
  const onclick = () => toggleNegative(image.index);
  const text = hidden ? "Show heat" : "Hide heat";
  const canToggle = isNegative && (hidden === "negative" || hidden === null);
  return [
    isNegative && el("span", { class: "note", text: NEGATIVE_NOTE }),
    HIDDEN[hidden] && el("span", { class: "note", text: HIDDEN[hidden] }),
    canToggle && el("button", { class: "small", text, onclick }),
  ];
}

function drawStrip(strip, { files, images, current }) {
  const others = hang(images).strip.map(({ index, reason }) => {
    const image = images[index];
    const open = el("button", {
      text: image.label,
      title: `Show ${image.name}`,
      "aria-pressed": String(index === current),
      onclick: () => choose(index),
    });
    const why = `${reason === "repeated" ? "" : "does not count: "}${NOT_COUNTED[reason]}`;
    return line(image.name, open, why, "other");
  });
  const refused = files
    .filter((file) => file.problem)
    .map(({ name, problem }) =>
      line(name, el("strong", { text: "refused" }), problemText(problem), "refused"),
    );
  strip.hidden = others.length + refused.length === 0;
  strip.replaceChildren(
    el("h2", { text: "Further files" }),
    unhung(images) ?? "",
    el("ul", {}, ...others, ...refused),
  );
}

/** Return the way to hang images of which none has a place, null if there is none. */
function unhung(images) {
  const answered = images.filter(Boolean);
  if (hangs(images) || !answered.some(lacksFacts)) return null;

  const words = "No file says side and view. Set them to hang the images.";
  const set = el("button", { text: "Set side and view…", onclick: setFacts });
  return el("p", { class: "unhung" }, words, set);
}

function line(name, first, text, className) {
  return el(
    "li",
    { class: className },
    first,
    el("span", { class: "name", text: name }),
    el("span", { class: "why", text }),
  );
}

import { percentage } from "./chart.js";
import { el } from "./dom.js";
import { blankWords } from "./figure_words.js";
import { drawBreast } from "./small_view.js";
import { askSample } from "./sample_exam.js";
import { decisionWord, METHODS, NEGATIVE_NOTE, percent } from "./words.js";

const ABOUT = {
  "grad-cam": "One weight for each filter: points well, and spreads its heat.",
  "layer-cam": "A weight for each cell: keeps its heat closer to the evidence.",
};
const FINER = "layer-cam"; // the method that is asked for at the finer layer
const UNPROVED = new Set(["scorecard-failed", "scorecard-undecided", "no-scorecard"]);
const UNPROVED_WORDS =
  "This model version has not passed its scorecard. The pictures show how its heat looks. They " +
  "are no evidence.";

/** Return the sample's views with heat by two methods, and by one of them at a finer layer. */
export async function showHeat({ warnings }, layers, tell) {
  const questions = questionsFor(layers);
  const rows = [];
  if (warnings.some(({ code }) => UNPROVED.has(code))) {
    rows.push(el("p", { class: "summary untested", text: UNPROVED_WORDS }));
  }

  for (const [index, question] of questions.entries()) {
    tell(`Asking for ${nameOf(question)} of the four views (${index + 1} of ${questions.length}).`);
    const { images } = await askSample(question, tell);
    if (index === 0) rows.push(row("Without heat", "The phantoms themselves.", images, false));
    rows.push(row(nameOf(question), aboutOf(question), images, true));
  }
  return rows;
}

/** Return questions {method, layer}: the default layer, and the last layer with a finer grid. */
function questionsFor({ layers, default_layer: name }) {
  const index = layers.findIndex((layer) => layer.name === name);
  const finer = layers.slice(0, index).findLast((layer) => layer.height > layers[index].height);
  const suits = (layer, method) => layer.methods === null || layer.methods.includes(method);
  const questions = Object.keys(ABOUT)
    .filter((method) => suits(layers[index], method))
    .map((method) => ({ method, layer: null }));
  if (questions.length === 0) questions.push({ method: "occlusion", layer: null });
  if (finer && suits(finer, FINER)) questions.push({ method: FINER, layer: finer.name });
  return questions;
}

const nameOf = ({ method, layer }) =>
  layer ? `${METHODS[method]} at the finer layer ${layer}` : METHODS[method];

function aboutOf({ method, layer }) {
  if (layer) return "The last layer with smaller cells. Its heat is finer: look inside the ring.";
  return ABOUT[method] ?? "";
}

function row(name, about, images, withHeat) {
  const views = images.filter((image) => image).map((image) => view(image, name, withHeat));
  return el(
    "div",
    { class: "row" },
    el("h3", { text: name }),
    el("p", { class: "quiet", text: about }),
    el("div", { class: "views" }, ...views),
  );
}

function view(image, name, withHeat) {
  const { prediction, heat } = image.answered;
  const { shape, word } = decisionWord(prediction.positive);
  const decided = `${word}, ${percent(prediction.probabilities[prediction.positive_class])}`;
  const words = withHeat ? heatWords(prediction, heat) : [];
  const label = [`${image.label}, ${name}: ${decided}`, ...words].join(". ");
  const canvas = el("canvas", { role: "img", "aria-label": label });
  drawBreast(canvas, image, withHeat);
  const lines = [`${shape} ${decided}`, ...words].map((text) => el("span", { text }));
  const caption = el("figcaption", {}, el("strong", { text: image.label }), ...lines);
  return el("figure", {}, canvas, caption);
}

function heatWords({ positive }, { state, relative_peak: peak }) {
  if (state !== "ok") return [`blank: ${blankWords(state)}`];
  const words = [];
  if (peak !== null) words.push(`peak (ring): ${percentage(peak)} of a typical cancer's`);
  if (positive === false) words.push(NEGATIVE_NOTE);
  return words;
}

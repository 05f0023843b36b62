import { el, svg } from "./dom.js";
import { count, joined } from "./figure_words.js";
import { section } from "./inputs.js";
import { NOT_COUNTED, decisionWord, percent, sideWord } from "./words.js";

/** Return a bar of a probability with a tick at its threshold, if there is one. */
function probabilityBar(probability, threshold) {
  const bar = svg(
    "svg",
    { class: "gauge", viewBox: "-1 0 102 10", preserveAspectRatio: "none", "aria-hidden": true },
    svg("rect", { class: "rail", x: 0, y: 3, width: 100, height: 4 }),
    svg("rect", { class: "value", x: 0, y: 3, width: 100 * probability, height: 4 }),
  );
  if (threshold !== null) bar.append(svg("path", { class: "tick", d: `M${100 * threshold} 0V10` }));
  return bar;
}

/** Return a percentile in words, rounded down; "" without one. `cases`: exams, breasts, images. */
function percentileWords(percentile, cases) {
  if (percentile === null) return "";
  const of = `cancer-free validation ${cases}`;
  if (percentile >= 100) return `higher than all ${of}`;
  if (percentile < 1) return `among the lowest 1 % of ${of}`;
  return `higher than ${Math.floor(percentile)} % of ${of}`;
}

/** Return which views are missing and what it means; "" if all four are there. */
function missingWords({ views, missing_views: missing }) {
  if (missing.length === 0) return "";
  const names = joined(missing.map((view) => view.replace("-", " ")));
  const blind = ["L", "R"].find((side) => !views.some((view) => view.startsWith(side)));
  return (
    `${views.length} of 4 views: ${names} ${missing.length === 1 ? "is" : "are"} missing. ` +
    (blind
      ? `Nothing is said about the ${sideWord(blind)} breast.`
      : "Nothing is said about what they would show.")
  );
}

/** Return the decision on an image, as one on an exam: {probability, threshold, positive, ..}. */
export function imageDecision({ prediction }) {
  return { ...prediction, probability: prediction.probabilities[prediction.positive_class] };
}

/** Build the section of the decisions on exam, breasts and images. */
export function decisionSection(store) {
  const levels = el("div");
  const title = el("h3");
  const list = el("ol", { class: "images", "aria-label": "Images" });
  let shown = null;

  function update({ answer, images, current }) {
    if (answer !== shown) {
      shown = answer;
      levels.replaceChildren(...examRows(answer), ...breastRows(answer));
      title.textContent = `Images, threshold ${percent(imageThreshold(images))}`;
      list.replaceChildren(...images.filter(Boolean).map((image) => imageItem(store, image)));
    }
    for (const one of list.querySelectorAll("button")) {
      one.setAttribute("aria-pressed", String(Number(one.dataset.index) === current));
    }
  }

  return { element: section("Decision", levels, title, list), keys: ["answer", "current"], update };
}

const imageThreshold = (images) => images.find(Boolean).answered.prediction.threshold;

function examRows({ exam, breasts }) {
  if (!exam) {
    return [el("p", { text: "– Exam not judged: no image counts for a breast." })];
  }
  const driver =
    breasts.L && breasts.R
      ? `The ${sideWord(exam.driven_by)} breast drives the exam: its probability is the higher one.`
      : "";
  const notes = [missingWords(exam), driver].filter(Boolean);
  return [
    el("div", { class: "row exam" }, ...row("Exam", exam, "exams", exam.views.length)),
    ...notes.map((text) => el("p", { class: "quiet", text })),
  ];
}

function breastRows({ breasts, images }) {
  const there = Object.entries(breasts).filter(([, breast]) => breast);
  return there.map(([side, breast]) => {
    const views = new Set(breast.images.map((index) => images[index].image.view)).size;
    return el("div", { class: "row" }, ...row(`${side} breast`, breast, "breasts", views));
  });
}

/**
 * Return the elements of a decision: name, word and shape, bar, probability, line of words. Without
 * a number of views, the threshold is told elsewhere.
 */
function row(name, decision, cases, views) {
  const { positive, probability, threshold, percentile } = decision;
  const { shape, word, name: kind } = decisionWord(positive);
  const missing = `no threshold was measured for ${count(views, "view")}`;
  const at = threshold === null ? missing : `threshold ${percent(threshold)}`;
  const words = [views && at, percentileWords(percentile, cases)].filter(Boolean).join(", ");
  return [
    el("span", { class: "name", text: name }),
    el("span", { class: `decision ${kind}`, text: `${shape} ${word}` }),
    probabilityBar(probability, threshold),
    el("span", { class: "share", text: percent(probability) }),
    el("span", { class: "words", text: words }),
  ];
}

function imageItem(store, { index, label, answered }) {
  const { warnings, not_counted: reason } = answered;
  const notes = [
    reason && `does not count: ${NOT_COUNTED[reason] ?? reason}`,
    warnings.length && count(warnings.length, "warning"),
  ];
  const parts = [
    ...row(label, imageDecision(answered), "images", 0),
    ...notes.filter(Boolean).map((text) => el("span", { class: "words note", text })),
  ];
  const onclick = () => store.change({ current: index });
  return el("li", {}, el("button", { class: "row", dataset: { index }, onclick }, ...parts));
}

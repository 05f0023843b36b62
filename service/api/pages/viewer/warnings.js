import { blankWords, count, joined } from "./figure_words.js";

const OF_MODEL = ["scorecard-failed", "no-scorecard", "older-bundle", "scorecard-undecided"];
const UNTRUSTED = {
  "scorecard-failed":
    "Do not trust this heatmap: the model version failed its own tests, " +
    "so that none of its heatmaps is evidence.",
  "no-scorecard": "Nothing shows that this heatmap can be trusted: the model version is untested.",
  "older-bundle":
    "Nothing shows that this heatmap can be trusted: " +
    "the model version was tested with another fit of its input.",
  "out-of-domain":
    "No test covers this heatmap: " +
    "the image is unlike all images on which the model version was measured.",
};
const DOUBTS = [
  "heatmap-uniform",
  "method-unsuited-to-layer",
  "peak-outside-breast",
  "heat-outside-breast",
  "heat-without-effect",
];

/** Return whether a warning covers the heat of an image until the reader acknowledges it. */
export function coversHeat(answer, index) {
  return warningsOf(answer, index).some(({ code }) => code in UNTRUSTED);
}

/**
 * Return the warnings of the exam, the model and one image, each once, those that cover heat first:
 * [{code, message, about, covers}]. `about`: Exam, Model or the labels of the images with the
 * message. Where the messages of a code differ, that of the first image stands for all.
 */
export function gatherWarnings({ answer, images }, index) {
  const gathered = new Map();
  for (const { code, message } of answer.warnings) {
    gathered.set(code + message, { code, message, about: "Exam" });
  }
  for (const { code, message } of answer.images[index].warnings) {
    if (!gathered.has(code + message)) gathered.set(code, ofImages(images, code));
  }
  return [...gathered.values()]
    .map((one) => ({ ...one, covers: one.code in UNTRUSTED }))
    .map((one) => (OF_MODEL.includes(one.code) ? { ...one, about: "Model" } : one))
    .sort((one, other) => other.covers - one.covers);
}

/** Return a warning of images in one line. Figures in a message are those of its images alone. */
function ofImages(images, code) {
  const carriers = images.flatMap((image) => {
    const warning = image?.answered.warnings.find((one) => one.code === code);
    return warning ? [{ label: image.label, message: warning.message }] : [];
  });
  const { message } = carriers[0];
  const labelsOf = (some) => joined(some.map(({ label }) => label));
  const same = carriers.filter((one) => one.message === message);
  const others = carriers.filter((one) => one.message !== message);
  const also = others.length ? ` Also ${labelsOf(others)}: the same with other figures.` : "";
  return { code, message: message + also, about: labelsOf(same) };
}

/** Return in one sentence how far the heatmap of an image can be trusted, from facts alone. */
export function trustSentence(answer, index) {
  const { heat, diagnostics, prediction } = answer.images[index];
  const codes = warningsOf(answer, index).map(({ code }) => code);
  if (heat && heat.state !== "ok") return `There is no heat to trust: ${blankWords(heat.state)}.`;

  const untrusted = Object.keys(UNTRUSTED).find((code) => codes.includes(code));
  if (untrusted) return UNTRUSTED[untrusted];

  const figures = Object.values(diagnostics);
  const unusual = figures.filter((figure) => figure.unusual).length;
  const doubts = DOUBTS.filter((code) => codes.includes(code)).length;
  const tests = codes.includes("scorecard-undecided")
    ? "The model version failed no test, but some are undecided"
    : "The model version passed its tests";
  if (unusual + doubts) {
    const reasons = [
      unusual && `${count(unusual, "figure")} unusual`,
      doubts && `${count(doubts, "warning")} about the map`,
    ];
    return `Trust this heatmap less than others: ${joined(reasons.filter(Boolean))}. ${tests}.`;
  }
  if (!figures.some(({ reference, alarm }) => reference && alarm)) {
    return `${tests}. No range was measured for the figures of this map.`;
  }
  const limit = prediction.positive
    ? "the map shows where the model looked, not that it is right"
    : "yet on an image not decided positive, heat is no finding";
  return `${tests} and no figure is unusual: ${limit}.`;
}

const warningsOf = (answer, index) => [
  ...answer.warnings,
  ...(answer.images[index]?.warnings ?? []),
];

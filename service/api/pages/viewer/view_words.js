/** Words about an image on a canvas, for those who do not see it and for the read-out. */
import { fullValueIn, heatAt, hiddenHeat } from "./heat_layer.js";
import { isMirrored } from "./hanging.js";
import { lengthWords, pointWords } from "./ruler.js";
import { decisionWord, percent, viewName } from "./words.js";

const HEAT = {
  none: "no heat was asked for",
  blank: "the map has no heat",
  covered: "heat covered until the warnings are read",
  negative: "heat not shown, since it is no finding",
  off: "heat switched off",
};

/** Return the name of the canvas: side, view, probability, decision, regions and heat. */
export function imageWords(state, image) {
  const { image: facts, prediction, heat } = image.answered;
  const regions = heat?.regions.length ?? 0;
  const { positive_class: name, probabilities } = prediction;
  const words = [
    viewName(facts.laterality, facts.view),
    `probability of ${name} ${percent(probabilities[name])}`,
    decisionWord(prediction.positive).word,
    `${regions} ${regions === 1 ? "region" : "regions"}`,
    HEAT[hiddenHeat(state, image)] ?? "heat shown",
  ];
  return [...words, ...(isMirrored(facts) ? ["shown mirrored"] : [])].join(", ");
}

/** Return the length of the ruler, and what is at a source point: place, value and heat. */
export function readoutWords(state, image, point, ruler) {
  const { image: facts } = image.answered;
  const words = ruler ? [`ruler ${lengthWords(facts, ruler.from, ruler.to)}`] : [];
  if (point) words.push(pointWords(facts, point), valueWords(image, point));
  if (point && !hiddenHeat(state, image)) {
    const heat = heatAt(image, fullValueIn(state, image), point);
    words.push(heat === null ? "no heat here" : `heat ${Math.round(100 * heat)} %`);
  }
  return words.join(" · ");
}

function valueWords({ pixels, samples }, { x, y }) {
  const [[a, , c], [, e, f]] = pixels.to_source;
  const nearest = (value, count) => Math.min(Math.max(Math.round(value), 0), count - 1);
  const row = nearest((y - f) / e, pixels.rows);
  const sample = samples[row * pixels.columns + nearest((x - c) / a, pixels.columns)];

  const { padding, slope, intercept } = pixels;
  if (padding && sample >= padding.first && sample <= padding.last) return "padding";
  return `value ${Number((slope * sample + intercept).toPrecision(6))}`;
}

import { folded, line, path, percentage, squarePlot, strip, table, withInterval } from "./chart.js";
import { el, svg } from "./dom.js";

const LEVELS = { image: "Images", breast: "Breasts", exam: "Exams" };
const MAX_ROWS = 21; // of the table that repeats a curve
const FLOORS = {
  metadata: "Facts of the table, such as machine and age",
  brightness: "Brightness and size of the breast",
  thumbnail: "The image at 16 x 16 pixels",
  all: "All of these together",
};
const SHARES = { ends: [0, 1] };
const CHANCE = { ends: [0, 1], origin: 0.5 };
const NO_CURVES = "The bundle holds no curves: it was exported by an earlier release.";

/** Return the ROC curves of the levels, each with the service's threshold marked. */
export function showCurves(curves, levels) {
  if (!curves?.levels) return [told(`${NO_CURVES} The bars below have the measured thresholds.`)];
  const plots = Object.entries(LEVELS)
    .filter(([level]) => curves.levels[level])
    .map(([level, name]) => curveFigure(name, curves.levels[level], levels?.[level]));
  return [el("div", { class: "plots" }, ...plots)];
}

/** Return sensitivity and specificity at the threshold of each level and number of views. */
export function showLevels(levels) {
  if (!levels) return [told("The bundle does not say how its thresholds do on test cases.")];
  const rows = Object.entries(LEVELS).flatMap(([level, name]) => {
    const { by_views: byViews, ...all } = levels[level];
    const parts = Object.entries(byViews).map(([views, one]) => {
      const label = `${name} of ${views} ${views === "1" ? "view" : "views"}`;
      return [el("span", { class: "part", text: label }), ...measured(one)];
    });
    return [[name, ...measured(all)], ...parts];
  });
  const heads = ["Level", "Threshold", "Test cases", "Sensitivity", "Specificity"];
  const targets = [...new Set(Object.keys(LEVELS).map((level) => levels[level].target))];
  return [
    table("Measured on test cases, with 95 % intervals", heads, rows),
    folded("How the thresholds were chosen", ...targets.map((text) => el("p", { text }))),
  ];
}

/** Return the calibration plot. Its bins are groups of images of like probability. */
export function showCalibration(calibration, figures) {
  if (!calibration) {
    const error = figures.expected_calibration_error;
    const words = error === undefined ? "" : ` ${errorWords(error)}`;
    return [told(`${NO_CURVES}${words}`)];
  }
  const { bins, error } = calibration;
  const words = errorWords(error);
  const name = `Observed share against probability, ${bins.length} groups of images. ${words}`;
  const plot = squarePlot(name, "mean probability, %", "observed share, %", (x, y) =>
    bins.flatMap(({ probability, observed, low, high }) => [
      line("interval", x(probability), y(low), x(probability), y(high)),
      svg("circle", { class: "dot", cx: x(probability), cy: y(observed), r: 4 }),
    ]),
  );
  const rows = bins.map((bin) => [
    percentage(bin.probability),
    withInterval({ ...bin, value: bin.observed }, percentage),
    String(bin.count),
  ]);
  const heads = ["Mean probability", "Observed share and 95 % interval", "Images"];
  const numbers = folded("The numbers", table("Calibration of images", heads, rows));
  const text = `${words} The probabilities are those at the share of cancer in the test data.`;
  const caption = el("figcaption", {}, el("p", { text }), numbers);
  return [el("figure", { class: "wide" }, plot, caption)];
}

/** Return the AUC of the network by breast beside the floors'. */
export function showFloor(figures) {
  const floors = Object.keys(FLOORS).filter((name) => `floor_breast_auc_${name}` in figures);
  if (floors.length === 0) return [told("The bundle does not say what the floors reach.")];
  const { breast_auc: value, breast_auc_low: low, breast_auc_high: high } = figures;
  const network = { value: value ?? null, low, high };
  const rows = [[el("strong", { text: "The network" }), [withInterval(network), auc(network)]]];
  for (const name of floors) {
    const floor = { value: figures[`floor_breast_auc_${name}`] };
    rows.push([FLOORS[name], [withInterval(floor), auc(floor)]]);
  }
  const best = Math.max(...floors.map((name) => figures[`floor_breast_auc_${name}`]));
  const compared = table("AUC by breast, of test patients", ["Reader", "AUC"], rows);
  return [compared, told(beaten(low, best))];
}

const auc = (estimate) => strip(estimate, CHANCE);

function beaten(low, best) {
  if (low === undefined) return "The network has no interval, so it cannot be held against them.";
  return low > best
    ? "The whole interval of the network lies above every floor. It knows more than these facts."
    : "The interval of the network is not above every floor. It may know no more than these facts.";
}

function measured({ threshold, cases, sensitivity, specificity }) {
  const shares = [sensitivity, specificity].map((share) =>
    share ? [withInterval(share, percentage), strip(share, SHARES)] : "not measured",
  );
  return [percentage(threshold), String(cases), ...shares];
}

function curveFigure(name, { roc, auc: area, cases, with_cancer: ill }, level) {
  const words = `AUC ${withInterval(area)}. ${cases} cases, ${ill} with cancer.`;
  const across = "false positive rate, %";
  const plot = squarePlot(`${name}: ${words}`, across, "sensitivity, %", (x, y) => [
    ...curveMarks(roc, x, y),
    ...(level?.sensitivity && level.specificity ? thresholdMarks(level, x, y) : []),
  ]);
  const caption = [el("strong", { text: name }), ` ${words}`, numbersOf(name, roc)];
  return el("figure", {}, plot, el("figcaption", {}, ...caption));
}

function curveMarks(roc, x, y) {
  const along = (shares) => shares.map((share, i) => [x(roc.false_positive_rate[i]), y(share)]);
  const band = path("band", [...along(roc.low), ...along(roc.high).reverse()]);
  return [band, path("curve", along(roc.sensitivity))];
}

function thresholdMarks({ sensitivity, specificity }, x, y) {
  const [left, top] = [x(1 - specificity.value), y(sensitivity.value)];
  return [
    line("interval", x(1 - specificity.high), top, x(1 - specificity.low), top),
    line("interval", left, y(sensitivity.low), left, y(sensitivity.high)),
    svg("rect", { class: "threshold", x: left - 4, y: top - 4, width: 8, height: 8 }),
  ];
}

function numbersOf(name, roc) {
  const count = roc.sensitivity.length;
  const step = Math.max(1, Math.ceil((count - 1) / (MAX_ROWS - 1)));
  const kept = roc.sensitivity.flatMap((_, i) => (i % step === 0 || i === count - 1 ? [i] : []));
  const rows = kept.map((i) => {
    const sensitivity = { value: roc.sensitivity[i], low: roc.low[i], high: roc.high[i] };
    return [percentage(roc.false_positive_rate[i]), withInterval(sensitivity, percentage)];
  });
  const heads = ["False positive rate", "Sensitivity and 95 % interval"];
  return folded("The numbers", table(`Curve of ${name.toLowerCase()}`, heads, rows));
}

function errorWords(error) {
  const points = (100 * error).toFixed(1);
  return `On average, probability and observed share are ${points} percentage points apart.`;
}

const told = (text) => el("p", { class: "summary", text });

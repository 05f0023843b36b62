import { el, svg } from "./dom.js";
import { digits } from "./figure_words.js";

const STRIP = { width: 200, from: 8, to: 192 };
const PLOT = { left: 44, right: 296, top: 10, bottom: 262, width: 312, height: 306 };
const TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1];

/** Return the map of values from `low`..`high` to pixels `from`..`to`. Values outside are cut. */
export function scale(low, high, from, to) {
  return (value) => {
    const share = (Math.min(Math.max(value, low), high) - low) / (high - low);
    return from + share * (to - from);
  };
}

/** Return a share in percent, such as "97.8 %". */
export const percentage = (share) => `${digits(100 * share)} %`;

/** Return "value (low to high)", or the value alone where it has no interval. */
export function withInterval({ value, low, high }, words = digits) {
  if (value === null) return "not measured";
  if (low === null || low === undefined) return words(value);
  return `${words(value)} (${words(low)} to ${words(high)})`;
}

/**
 * Return a small bar of an estimate {value, low, high}, with a line for its interval and a tall
 * tick at `bound`. `ends`: the ends of the scale. `origin`: where the bar begins. `wanted`: the
 * range that is asked for, which is shaded. It repeats numbers that stand beside it as text.
 */
export function strip({ value, low, high }, { ends, origin = ends[0], bound, wanted } = {}) {
  const x = scale(...ends, STRIP.from, STRIP.to);
  const parts = [];
  if (wanted) parts.push(box("wanted", x(wanted[0]), x(wanted[1]), 3, 16));
  parts.push(line("axis", x(ends[0]), 19, x(ends[1]), 19));
  if (value !== null) parts.push(box("bar", x(origin), x(value), 6, 10));
  if (typeof low === "number") parts.push(interval(x(low), x(high), 11));
  if (bound !== undefined) parts.push(line("bound", x(bound), 1, x(bound), 22));
  const marks = new Set(bound === undefined ? [...ends, origin] : [...ends, bound]);
  for (const mark of marks) parts.push(text(x(mark), 33, digits(mark), "middle"));
  const viewBox = `0 0 ${STRIP.width} 36`;
  return svg("svg", { class: "strip", viewBox, "aria-hidden": "true" }, ...parts);
}

/**
 * Return a plot of shares from 0 to 1 on both axes, with a dashed diagonal. `name`: what it shows,
 * in words. `marks`: a function of (x, y), maps of shares to pixels, that returns its elements.
 */
export function squarePlot(name, across, upwards, marks) {
  const x = scale(0, 1, PLOT.left, PLOT.right);
  const y = scale(0, 1, PLOT.bottom, PLOT.top);
  const grid = TICKS.flatMap((tick) => [
    line("grid", x(tick), PLOT.top, x(tick), PLOT.bottom),
    line("grid", PLOT.left, y(tick), PLOT.right, y(tick)),
    text(x(tick), PLOT.bottom + 16, digits(100 * tick), "middle"),
    text(PLOT.left - 6, y(tick) + 4, digits(100 * tick), "end"),
  ]);
  const middle = (PLOT.top + PLOT.bottom) / 2;
  const turned = text(0, 0, upwards, "middle");
  turned.setAttribute("transform", `translate(12 ${middle}) rotate(-90)`);
  return svg(
    "svg",
    { class: "plot", viewBox: `0 0 ${PLOT.width} ${PLOT.height}`, role: "img", "aria-label": name },
    ...grid,
    line("axis", PLOT.left, PLOT.bottom, PLOT.right, PLOT.bottom),
    line("axis", PLOT.left, PLOT.top, PLOT.left, PLOT.bottom),
    line("diagonal", x(0), y(0), x(1), y(1)),
    text((PLOT.left + PLOT.right) / 2, PLOT.bottom + 36, across, "middle"),
    turned,
    ...marks(x, y),
  );
}

/** Return a table. `heads`: texts. `rows`: lists of texts or elements; the first heads its row. */
export function table(name, heads, rows) {
  const row = (cells) =>
    el("tr", {}, ...cells.map((cell, index) => tableCell(cell, index, heads[index])));
  return el(
    "table",
    {},
    el("caption", { text: name }),
    el("thead", {}, el("tr", {}, ...heads.map((head) => el("th", { scope: "col", text: head })))),
    el("tbody", {}, ...rows.map(row)),
  );
}

/** Return a folded part of the page. */
export function folded(name, ...children) {
  return el("details", {}, el("summary", { text: name }), ...children);
}

/** Return a line from one point to another. */
export const line = (name, x1, y1, x2, y2) => svg("line", { class: name, x1, y1, x2, y2 });

/** Return lines through points, [[x, y], ...]. */
export function path(name, points) {
  const steps = points.map((point) => point.map((one) => one.toFixed(1)).join(" "));
  return svg("path", { class: name, d: `M${steps.join("L")}` });
}

function box(name, one, other, y, height) {
  const [x, width] = [Math.min(one, other), Math.abs(other - one)];
  return svg("rect", { class: name, x, y, width, height });
}

function interval(low, high, y) {
  const ends = `M${low} ${y}H${high}M${low} ${y - 4}v8M${high} ${y - 4}v8`;
  return svg("path", { class: "interval", d: ends });
}

function text(x, y, words, anchor) {
  return svg("text", { x, y, "text-anchor": anchor }, words);
}

function tableCell(cell, index, head) {
  const children = [cell].flat();
  if (index === 0) return el("th", { scope: "row" }, ...children);
  return el("td", { dataset: { head } }, ...children);
}

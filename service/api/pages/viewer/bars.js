import { el, svg } from "./dom.js";
import { FIGURES, count, digits } from "./figure_words.js";
import { section } from "./inputs.js";

const MARGIN = 0.25; // of the range, on either side
const WIDTH = 200;

/**
 * Return where a value lies on the axis of its range, in shares of the axis: {low, high, at,
 * beyond}. The axis is wider than the range by a quarter of it on either side. `beyond`: -1 or 1 if
 * the value lies past an end, where it is drawn as an arrow.
 */
function placeOnAxis(value, { low, high }) {
  const span = high - low || Math.abs(high) || 1;
  const start = low - MARGIN * span;
  const share = (x) => (x - start) / (high + MARGIN * span - start);
  const at = Math.min(1, Math.max(0, share(value)));
  return { low: share(low), high: share(high), at, beyond: Math.sign(share(value) - at) };
}

/** Return how a figure stands to its range: {shape, word, kind}. */
function standing({ value, reference, unusual, alarm }) {
  if (!reference) return { shape: "–", word: "no range was measured", kind: "" };
  const side = value < reference.low ? "below" : value > reference.high ? "above" : null;
  if (unusual) {
    return { shape: "◆", word: `unusual: ${side ?? alarm} its range`, kind: "unusual" };
  }
  if (side) return { shape: "◇", word: `${side} its range, no alarm`, kind: "" };
  return { shape: "✓", word: "within its range", kind: "" };
}

/** Return the bar of a figure that has a range: the range, the side of an alarm, the value. */
function rangeBar({ value, reference, alarm }) {
  const place = placeOnAxis(value, reference);
  const [low, high, at] = [place.low, place.high, place.at].map((share) => WIDTH * share);
  const [from, to] = { below: [0, low], above: [high, WIDTH] }[alarm] ?? [0, 0];
  const arrow = `M${at} 7l${-8 * place.beyond} -6v12z`;
  const mark = place.beyond ? arrow : `M${at} 0l3 3v8l-3 3l-3 -3v-8z`;
  return svg(
    "svg",
    { class: "gauge range", viewBox: `-4 -1 ${WIDTH + 8} 16`, "aria-hidden": true },
    svg("path", { class: "rail", d: `M0 7H${WIDTH}` }),
    svg("path", { class: "alarm", d: `M${from} 7H${to}` }),
    svg("rect", { class: "usual", x: low, y: 3, width: Math.max(2, high - low), height: 8 }),
    svg("path", { class: "value", d: mark }),
  );
}

/** Build the section of the diagnostics. */
export function diagnosticsSection() {
  const first = el("div");
  const more = el("summary");
  const rest = el("div");
  const words = el("p", {
    class: "quiet",
    text:
      "Box: the usual range of reference images with the same decision. Mark: this image. " +
      "Dashes: the side that raises an alarm. Open a name to read what the figure says.",
  });
  const element = section("Diagnostics", words, first, el("details", {}, more, rest));
  const opened = new Set();

  function update({ answer, images, current }) {
    element.firstChild.textContent = `Diagnostics of ${images[current].label}`;
    const rows = { first: [], rest: [] };
    for (const [name, figure] of Object.entries(answer.images[current].diagnostics)) {
      const { unusual, alarm } = figure;
      rows[unusual || alarm ? "first" : "rest"][unusual ? "unshift" : "push"](row(name, figure));
    }
    first.replaceChildren(...rows.first);
    rest.replaceChildren(...rows.rest);
    more.textContent = `${count(rows.rest.length, "more figure")} without an alarm`;
  }

  function row(name, figure) {
    const [title, meaning] = FIGURES[name] ?? [name, "This page does not know this figure."];
    const { shape, word, kind } = standing(figure);
    const { value, reference } = figure;
    const range = reference && `, ${digits(reference.low)} to ${digits(reference.high)}`;
    const details = el(
      "details",
      { class: "figure", open: opened.has(name), dataset: { name } },
      el(
        "summary",
        {},
        el("span", { class: "name", text: title }),
        el("span", { class: "share", text: digits(value) }),
        reference && rangeBar(figure),
        el("span", { class: `words ${kind}`, text: `${shape} ${word}${range ?? ""}` }),
      ),
      el("p", {}, `${meaning} `, el("code", { text: name })),
    );
    details.ontoggle = () => opened[details.open ? "add" : "delete"](name);
    return details;
  }

  return { element, keys: ["answer", "current"], update };
}

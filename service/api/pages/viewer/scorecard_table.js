import { folded, strip, table, withInterval } from "./chart.js";
import { el } from "./dom.js";

const ORDER = ["fail", "undecided", "pass", "informative"];
const VERDICTS = {
  fail: "✕ failed",
  undecided: "? undecided",
  pass: "✓ passed",
  informative: "– no requirement",
};
const ASKED = /^(at least|at most) (\S+)$/;
const HEADS = ["Test", "Verdict", "Value and 95 % interval", "Asked", "What it means"];
const SHORTCUTS = ["corners", "without_breast", "stationary"];

/** Return the scorecard as elements: a sentence, the lines with a requirement, and the others. */
export function showScorecard(scorecard) {
  const lines = [...scorecard.lines].sort(
    (one, other) => ORDER.indexOf(one.verdict) - ORDER.indexOf(other.verdict),
  );
  const asked = lines.filter((line) => line.verdict !== "informative");
  const others = lines.filter((line) => line.verdict === "informative");
  const parts = [el("p", { class: "summary", text: sentence(scorecard, asked) })];
  if (asked.length > 0) parts.push(rows("Tests with a requirement", asked));
  if (others.length > 0) {
    const name = `Figures without a requirement (${others.length})`;
    parts.push(folded(name, rows(name, others)));
  }
  return parts;
}

/** Return the lines of the scorecard that tell a learnt shortcut. */
export function showShortcuts(scorecard) {
  const lines = SHORTCUTS.map((name) => scorecard?.lines.find((line) => line.name === name));
  const measured = lines.filter((line) => line);
  if (measured.length > 0) return [rows("What the scorecard says about shortcuts", measured)];
  const text = `${SHORTCUTS.join(", ")}. They were not measured for this model version.`;
  return [el("p", { class: "summary", text })];
}

function sentence({ images, created }, asked) {
  const named = (verdict) =>
    asked.filter((line) => line.verdict === verdict).map((line) => line.name);
  const [failed, undecided, passed] = ORDER.slice(0, 3).map(named);
  const parts = [];
  if (failed.length > 0) parts.push(`Failed: ${failed.join(", ")}.`);
  if (undecided.length > 0) parts.push(`Undecided: ${undecided.join(", ")}.`);
  const all = failed.length + undecided.length === 0 && passed.length > 0;
  const count = all ? `all ${passed.length}` : `${passed.length} of ${asked.length}`;
  parts.push(`Passed ${count} tests with a requirement, on ${images} images (${created}).`);
  return parts.join(" ");
}

function rows(name, lines) {
  return table(
    name,
    HEADS,
    lines.map((line) => [
      el("code", {}, ...breakable(line.name)),
      el("span", { class: `verdict ${line.verdict}`, text: VERDICTS[line.verdict] }),
      [withInterval(line), ...drawn(line)],
      line.asked === "-" ? "–" : line.asked,
      line.cases === null ? line.meaning : `${line.meaning} Cases: ${line.cases}.`,
    ]),
  );
}

/** Return a name as parts, between which its line may break. */
const breakable = (name) => name.split(/(?<=[_ ])/).flatMap((part) => [el("wbr"), part]);

/** Return the bar of a line, on a scale from 0 to 1 unless it goes beyond. */
function drawn(line) {
  if (line.value === null) return [];
  const [, side, asked] = ASKED.exec(line.asked) ?? [];
  const bound = side && Number(asked);
  const values = [line.value, line.low, line.high, bound].filter((one) => typeof one === "number");
  const ends = [Math.floor(Math.min(0, ...values)), Math.ceil(Math.max(1, ...values))];
  const wanted = side && (side === "at least" ? [bound, ends[1]] : [ends[0], bound]);
  return [strip(line, { ends, origin: 0, bound, wanted })];
}

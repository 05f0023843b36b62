/** Lengths in an image. A ruler is {index, from: [x, y], to: [x, y]} in source pixels. */

const PLANES = { detector: "at the detector", breast: "in the breast" };

/** Return the length between two source points in words. */
export function lengthWords(facts, from, to) {
  const across = to[0] - from[0];
  const down = to[1] - from[1];
  if (!facts.pixel_spacing_mm) return `${Math.hypot(across, down).toFixed(0)} pixels`;

  const [betweenRows, betweenColumns] = facts.pixel_spacing_mm;
  const length = Math.hypot(across * betweenColumns, down * betweenRows);
  const plane = PLANES[facts.pixel_spacing_plane] ?? "plane not stated";
  return `${length.toFixed(1)} mm ${plane}`;
}

/** Return a source point in words, in millimetres from the top left corner where they are known. */
export function pointWords(facts, { x, y }) {
  const names = [`x ${x.toFixed(0)}`, `y ${y.toFixed(0)}`];
  if (!facts.pixel_spacing_mm) return names.join(", ");

  const [betweenRows, betweenColumns] = facts.pixel_spacing_mm;
  const [right, below] = [(x + 0.5) * betweenColumns, (y + 0.5) * betweenRows];
  return `${names.join(", ")} (${right.toFixed(1)}, ${below.toFixed(1)} mm)`;
}

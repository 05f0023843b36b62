/**
 * From stored samples to grey values: the VOI transforms of PS3.3 C.11.2, as one table of all
 * samples.
 */

const VALUES = 65536;
const entriesOf = new WeakMap(); // decoded entries by table

/**
 * Return the transform that is in force: the preset of a window {preset, function, center, width},
 * or the window itself where the reader moved it. `window` null: the transform of the service.
 */
function transformOf(pixels, window) {
  if (!window) return pixels.presets[0];
  return window.preset === null ? window : pixels.presets[window.preset];
}

/**
 * Return the grey value 0..255 of each sample that occurs, [65536]. `inverted`: by the reader,
 * beside the image's own polarity. Padding is always black.
 */
export function greyTable(pixels, window, inverted) {
  const unit = unitOf(transformOf(pixels, window));
  const negative = pixels.inverted !== inverted;
  const table = new Uint16Array(VALUES);
  const { slope, intercept, lowest, highest } = pixels;
  const ends = [lowest, highest].map((value) => (value - intercept) / slope);

  const last = Math.min(Math.ceil(Math.max(...ends)), VALUES - 1);
  for (let sample = Math.max(Math.floor(Math.min(...ends)), 0); sample <= last; sample++) {
    const share = unit(slope * sample + intercept);
    table[sample] = Math.round(255 * (negative ? 1 - share : share));
  }
  if (pixels.padding) table.fill(0, pixels.padding.first, pixels.padding.last + 1);
  return table;
}

/** Return the function from values to 0..1. */
function unitOf(transform) {
  if (transform.function === "TABLE") return tableOf(transform.table);

  const isLinear = transform.function === "LINEAR";
  const center = transform.center - (isLinear ? 0.5 : 0);
  const width = transform.width - (isLinear ? 1 : 0);
  if (width === 0) return (value) => (value > center ? 1 : 0);
  if (transform.function === "SIGMOID") {
    return (value) => (1 + Math.tanh((2 * (value - center)) / width)) / 2;
  }
  return (value) => Math.min(Math.max((value - center) / width + 0.5, 0), 1);
}

function tableOf(table) {
  const entries = decoded(table);
  const last = entries.length - 1;
  return (value) => {
    const index = Math.min(Math.max(nearest(value) - table.first, 0), last);
    return Math.min(entries[index] / table.maximum, 1);
  };
}

function decoded(table) {
  if (!entriesOf.has(table)) {
    const bytes = Uint8Array.from(atob(table.entries), (letter) => letter.charCodeAt(0));
    entriesOf.set(table, new Uint16Array(bytes.buffer));
  }
  return entriesOf.get(table);
}

/** Round to the nearest integer, and halves to the even one, as the service does. */
function nearest(value) {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 ? rounded - 1 : rounded;
}

/**
 * Return the transform as a window {preset: null, function, center, width} that can be moved. A
 * table becomes a linear window over the values that it tells apart.
 */
export function movable(pixels, window) {
  const transform = transformOf(pixels, window);
  if (transform.function !== "TABLE") {
    const { center, width } = transform;
    return { preset: null, function: transform.function, center, width };
  }

  const { table } = transform;
  const low = Math.max(pixels.lowest, table.first);
  const high = Math.min(pixels.highest, table.first + decoded(table).length - 1);
  const width = Math.max(high - low, 2);
  return { preset: null, function: "LINEAR", center: (low + high) / 2, width };
}

/** Return a window moved by shares of its width: `wider` 0.1 is a tenth wider. */
export function moved(pixels, window, wider, higher) {
  const start = movable(pixels, window);
  const range = Math.max(pixels.highest - pixels.lowest, 1);
  const width = Math.min(Math.max(start.width * Math.exp(wider), 2), 4 * range);
  const center = start.center + higher * start.width;

  const low = pixels.lowest - range;
  return { ...start, width, center: Math.min(Math.max(center, low), pixels.highest + range) };
}

/** Return the next preset of the file after a window, null after the last: the first again. */
export function nextPreset(pixels, window) {
  const next = ((window ? window.preset ?? -1 : 0) + 1) % pixels.presets.length;
  if (next === 0) return null;

  const { function: name, center, width } = pixels.presets[next];
  return { preset: next, function: name, center, width };
}

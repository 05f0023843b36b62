/** The mammogram on a canvas: samples through a table of greys, as fine as the screen needs. */

const SAMPLES = 65536;
const MAX_LEVEL = 4; // sums of 16 x 16 greys still fit into 16 bits
const SHARP = 3; // screen pixels per pixel from which pixels are shown as squares
const MARGIN = 2; // pixels around the visible part, for interpolation
const SAME = Uint16Array.from({ length: SAMPLES }, (_, value) => value);

/**
 * One image at several resolutions, of which the visible part alone is coloured. Level k joins
 * 2^k x 2^k pixels: the sum of their greys, or, while a window moves, the mean of their samples,
 * which takes less time and looks nearly the same.
 */
export class Picture {
  constructor(pixels, samples) {
    this.size = { columns: pixels.columns, rows: pixels.rows };
    this.toSource = pixels.to_source;
    this.samples = [{ values: samples, ...this.size }];
    this.canvas = document.createElement("canvas");
    this.context = this.canvas.getContext("2d", { alpha: false });
  }

  /** Take another table of greys. `isExact`: false while it keeps changing. */
  window(table, isExact) {
    this.table = table;
    this.isExact = isExact;
    this.sums = [];
    this.colours = [opaque(table.length, (sample) => table[sample])];
    this.painted = null;
  }

  /** Draw the image at its place: see `place` in viewport.js. */
  draw(context, placed) {
    const [[a, , c], [, e, f]] = this.toSource;
    const scale = placed.scale * a;
    const level = Math.min(Math.max(Math.floor(1e-6 - Math.log2(scale)), 0), MAX_LEVEL);
    const step = [placed.scale * a * 2 ** level, placed.scale * e * 2 ** level];
    const left = placed.left + (c + 0.5 - a / 2) * placed.scale;
    const top = placed.top + (f + 0.5 - e / 2) * placed.scale;
    const right = placed.left + placed.columns * placed.scale;

    // Beyond the middle axis of a mirrored image, left is right.
    const { width, height } = context.canvas;
    const first = placed.mirrored ? placed.left + right - width : 0;
    const columns = visible(first - left, width, step[0], this.size.columns / 2 ** level);
    const rows = visible(-top, height, step[1], this.size.rows / 2 ** level);
    if (columns.count <= 0 || rows.count <= 0) return;

    this.paint(level, columns, rows);
    context.save();
    context.imageSmoothingEnabled = scale < SHARP;
    if (placed.mirrored) context.transform(-1, 0, 0, 1, placed.left + right, 0);
    context.beginPath();
    context.rect(left, top, this.size.columns * scale, this.size.rows * placed.scale * e);
    context.clip();
    context.drawImage(
      this.canvas,
      left + columns.start * step[0],
      top + rows.start * step[1],
      columns.count * step[0],
      rows.count * step[1],
    );
    context.restore();
  }

  /** Free the canvas. It comes back with the next drawing. */
  release() {
    this.canvas.width = this.canvas.height = 0;
    this.painted = null;
  }

  /** Put the greys of a part of a level onto the own canvas. */
  paint(level, columns, rows) {
    const name = [level, columns.start, columns.count, rows.start, rows.count].join();
    if (this.painted === name) return;

    const { values, columns: stride } = this.valuesAt(level);
    const colours = this.coloursAt(level);
    const image = new ImageData(columns.count, rows.count);
    const words = new Uint32Array(image.data.buffer);
    for (let row = 0, to = 0; row < rows.count; row++) {
      let from = (rows.start + row) * stride + columns.start;
      for (const end = to + columns.count; to < end; ) words[to++] = colours[values[from++]];
    }

    this.canvas.width = columns.count;
    this.canvas.height = rows.count;
    this.context.putImageData(image, 0, 0);
    this.painted = name;
  }

  valuesAt(level) {
    if (level === 0 || !this.isExact) {
      for (let next = this.samples.length; next <= level; next++) {
        this.samples[next] = halved(this.samples[next - 1], SAME, 2);
      }
      return this.samples[level];
    }

    for (let next = 1; next <= level; next++) {
      const table = next === 1 ? this.table : SAME;
      this.sums[next] ??= halved(next === 1 ? this.samples[0] : this.sums[next - 1], table, 0);
    }
    return this.sums[level];
  }

  /** Return the colour of each value of a level, as the four bytes of a pixel. */
  coloursAt(level) {
    if (level === 0 || !this.isExact) return this.colours[0];

    const count = 4 ** level;
    this.colours[level] ??= opaque(255 * count + 1, (sum) => Math.round(sum / count));
    return this.colours[level];
  }
}

/** Return the grey of each value as the four bytes of a pixel. */
function opaque(length, greyOf) {
  const colours = new Uint32Array(length);
  for (let value = 0; value < length; value++) {
    colours[value] = 0xff000000 | (greyOf(value) * 0x010101);
  }
  return colours;
}

/** Return {start, count} of the pixels along an axis that show on `room` from `first` on. */
function visible(first, room, step, pixels) {
  const start = Math.max(Math.floor(first / step) - MARGIN, 0);
  const stop = Math.min(Math.ceil((first + room) / step) + MARGIN, Math.ceil(pixels));
  return { start, count: stop - start };
}

/**
 * Return a level of half the resolution: the sum of each 2 x 2 values after the table, shifted
 * right with rounding. The last row or column counts twice where the number is odd.
 */
function halved({ values, columns, rows }, table, shift) {
  const width = (columns + 1) >> 1;
  const height = (rows + 1) >> 1;
  const out = new Uint16Array(width * height);
  const half = shift ? 1 << (shift - 1) : 0;

  for (let row = 0; row < height; row++) {
    const upper = 2 * row * columns;
    const lower = Math.min(2 * row + 1, rows - 1) * columns;
    for (let column = 0; column < width; column++) {
      const first = 2 * column;
      const second = first + 1 < columns ? first + 1 : first;
      const above = table[values[upper + first]] + table[values[upper + second]];
      const below = table[values[lower + first]] + table[values[lower + second]];
      out[row * width + column] = (above + below + half) >> shift;
    }
  }
  return { values: out, columns: width, rows: height };
}

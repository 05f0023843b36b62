/**
 * The drawn heat over an image, as the service's overlay has it: resampled linearly, saturated at
 * full strength, then coloured. Opacity increases with the heat.
 */
import { colourTable } from "./colours.js";
import { coversHeat } from "./warnings.js";

/**
 * Return the reason why an image shows no heat: "none" (left out), "blank" (the map has no heat),
 * "covered" (warnings are to be read first), "negative" (decided negative and not asked for), "off"
 * (switched off), or null if the heat is shown.
 */
export function hiddenHeat(state, image) {
  const { heat, prediction } = image.answered;
  if (heat && heat.state !== "ok") return "blank";
  if (!heat || !image.pixels.heat || !image.heatSamples) return "none";
  if (!state.acknowledged && coversHeat(state.answer, image.index)) return "covered";
  if (prediction.positive === false && !state.shown.has(image.index)) return "negative";
  return state.heat.visible ? null : "off";
}

/**
 * Return the raw heat that is drawn at full strength, by the scale of the state: "reference" as the
 * service scaled it, "image" by the image's hottest cell, "exam" by the hottest cell of all images.
 */
export function fullValueIn({ heat: { scale }, images, compare }, image) {
  if (scale === "reference") return image.pixels.heat.full_value;
  if (scale === "image") return hottest(image);

  const group = images.includes(image) ? images : compare.images;
  return Math.max(...group.map((one) => (one ? hottest(one) : 0)));
}

const hottest = ({ answered }) => answered.heat?.peak?.value ?? 0;

/** Return the heat at a source point as a share of full strength, null where none is drawn. */
export function heatAt(image, full, { x, y }) {
  const { left, top, right, bottom } = image.answered.image.breast_box;
  const isInside = x >= left - 0.5 && x < right - 0.5 && y >= top - 0.5 && y < bottom - 0.5;
  if (!isInside || !full) return null;

  const { columns, rows, to_source: [[a, , c], [, e, f]] } = image.pixels.heat;
  const row = mixedRow(image, between((y - f) / e, rows));
  const [first, second, share] = between((x - c) / a, columns);
  return Math.min(mix(row[first], row[second], share) / full, 1);
}

/** Heat on a canvas of its own, computed for each screen pixel. It is kept until it changes. */
export class HeatLayer {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.context = this.canvas.getContext("2d");
  }

  /**
   * Draw the heat of an image at its place. `style`: {colormap, opacity, level}, where heat below
   * the level (a share of full strength) is left out. `full`: see `fullValueIn`.
   */
  draw(context, placed, image, { colormap, opacity, level }, full) {
    const part = coveredPart(placed, image, context.canvas);
    if (part.width <= 0 || part.height <= 0 || !full) return;

    const name = JSON.stringify([placed, part, colormap, opacity, level, full]);
    if (this.name !== name || this.samples !== image.heatSamples) {
      this.paint(placed, part, image, coloursOf(colormap, opacity, level), full);
      this.name = name;
      this.samples = image.heatSamples;
    }
    context.drawImage(this.canvas, part.left, part.top);
  }

  /** Free the canvas. It comes back with the next drawing. */
  release() {
    this.canvas.width = this.canvas.height = 0;
    this.name = null;
  }

  /** Put the colours of a part of the screen onto the own canvas. */
  paint({ scale, left, top, mirrored, columns: width }, part, image, colours, full) {
    const { columns, rows, to_source: [[a, , c], [, e, f]] } = image.pixels.heat;
    const firsts = new Uint16Array(part.width);
    const seconds = new Uint16Array(part.width);
    const shares = new Float32Array(part.width);
    for (let column = 0; column < part.width; column++) {
      const across = (part.left + column + 0.5 - left) / scale - 0.5;
      const position = ((mirrored ? width - 1 - across : across) - c) / a;
      [firsts[column], seconds[column], shares[column]] = between(position, columns);
    }

    const picture = new ImageData(part.width, part.height);
    const words = new Uint32Array(picture.data.buffer);
    const level = 255 / full;
    for (let row = 0, to = 0; row < part.height; row++) {
      const down = (part.top + row + 0.5 - top) / scale - 0.5;
      const values = mixedRow(image, between((down - f) / e, rows));
      for (let column = 0; column < part.width; column++) {
        const heat = mix(values[firsts[column]], values[seconds[column]], shares[column]) * level;
        words[to++] = colours[heat < 255 ? (heat + 0.5) | 0 : 255];
      }
    }
    this.canvas.width = part.width;
    this.canvas.height = part.height;
    this.context.putImageData(picture, 0, 0);
  }
}

/** Return the colour of each strength 0..255, as the four bytes of a pixel. */
function coloursOf(colormap, opacity, level) {
  const table = colourTable(colormap);
  return Uint32Array.from({ length: 256 }, (_, heat) => {
    const [red, green, blue] = table.subarray(3 * heat);
    const alpha = heat < 255 * level ? 0 : Math.round(heat * opacity);
    return (alpha << 24) | (blue << 16) | (green << 8) | red;
  });
}

/** Return the screen pixels whose centres lie in the part of the image that the model saw. */
function coveredPart(placed, image, canvas) {
  const box = image.answered.image.breast_box;
  const { columns, mirrored, scale } = placed;
  const edges = mirrored ? [columns - box.right, columns - box.left] : [box.left, box.right];
  const pixel = (origin, edge) => Math.ceil(origin + edge * scale - 0.5);

  const left = Math.max(pixel(placed.left, edges[0]), 0);
  const top = Math.max(pixel(placed.top, box.top), 0);
  const width = Math.min(pixel(placed.left, edges[1]), canvas.width) - left;
  const height = Math.min(pixel(placed.top, box.bottom), canvas.height) - top;
  return { left, top, width, height };
}

/** Return the cells around a position on an axis of the grid, and the share of the second. */
function between(position, count) {
  const inside = Math.min(Math.max(position, 0), count - 1);
  const first = Math.floor(inside);
  return [first, Math.min(first + 1, count - 1), inside - first];
}

/** Return the raw heat of a row between two rows of the grid. */
function mixedRow({ heatSamples, pixels: { heat } }, [first, second, share]) {
  const { columns, maximum } = heat;
  const unit = maximum / 65535;
  const values = new Float32Array(columns);
  for (let column = 0; column < columns; column++) {
    const above = heatSamples[first * columns + column];
    const below = heatSamples[second * columns + column];
    values[column] = mix(above, below, share) * unit;
  }
  return values;
}

const mix = (one, other, share) => one + (other - one) * share;

import { HeatLayer } from "./heat_layer.js";
import { Picture } from "./picture.js";
import { greyTable } from "./windowing.js";

const COLUMNS = 320; // of a canvas
const RING = 18; // radius in canvas pixels
const STYLE = { colormap: "cividis", opacity: 0.85, level: 0 };

/**
 * Draw a frame {left, top, width, height} of an image, in edges of source pixels, on a canvas that
 * becomes `columns` wide. Return its context, which draws in edges of source pixels.
 */
export function drawFrame(canvas, image, frame, columns) {
  const { context, zoom } = framed(canvas, frame, columns);
  const picture = new Picture(image.pixels, image.samples);
  const placed = placedIn(frame, zoom, image);
  picture.window(greyTable(image.pixels, null, false), true);
  context.save();
  context.resetTransform();
  picture.draw(context, placed);
  context.restore();
  return context;
}

/** Draw the breast of an image, with or without its heat and a ring around the peak. */
export function drawBreast(canvas, image, withHeat) {
  const { left, top, right, bottom } = image.answered.image.breast_box;
  const frame = { left, top, width: right - left, height: bottom - top };
  const context = drawFrame(canvas, image, frame, COLUMNS);
  const { heat } = image.pixels;
  if (!withHeat || !heat || !image.heatSamples) return;

  const placed = placedIn(frame, COLUMNS / frame.width, image);
  context.save();
  context.resetTransform();
  new HeatLayer().draw(context, placed, image, STYLE, heat.full_value);
  context.restore();
  drawRing(context, image.answered.heat.peak);
}

/** Draw a ring around a source pixel. */
export function drawRing(context, { x, y }) {
  const radius = RING / context.getTransform().a;
  stroke(context, [], () => context.arc(x + 0.5, y + 0.5, radius, 0, 2 * Math.PI));
}

/** Stroke a path in white on black, so that it shows on each grey. `dashes`: in canvas pixels. */
export function stroke(context, dashes, path) {
  const pixel = 1 / context.getTransform().a;
  context.beginPath();
  path();
  for (const [colour, width] of [["#000", 3.5], ["#fff", 1.5]]) {
    context.strokeStyle = colour;
    context.lineWidth = width * pixel;
    context.setLineDash(colour === "#fff" ? dashes.map((one) => one * pixel) : []);
    context.stroke();
  }
}

/** Size a canvas for a frame. Return its context, which draws in edges of source pixels. */
export function framed(canvas, frame, columns) {
  const zoom = columns / frame.width;
  canvas.width = columns;
  canvas.height = Math.round(frame.height * zoom);
  const context = canvas.getContext("2d");
  context.setTransform(zoom, 0, 0, zoom, -frame.left * zoom, -frame.top * zoom);
  return { context, zoom };
}

const placedIn = ({ left, top }, scale, { answered }) => ({
  scale,
  left: -left * scale,
  top: -top * scale,
  mirrored: false,
  columns: answered.image.columns,
});

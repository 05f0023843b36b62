/** Marks over an image: outlines of regions, the peak, the cross-hair and the ruler. */
import { lengthWords } from "./ruler.js";
import { toScreen } from "./viewport.js";

const LIGHT = "#ffffff";
const DARK = "#000000";
const RING = 9; // radius around the peak, in CSS pixels
const GAP = 4; // between the peak and the arms of its cross

/** Outline the regions of an image. `dot`: screen pixels per CSS pixel. */
export function drawOutlines(context, placed, regions, dot) {
  const path = new Path2D();
  for (const { contour } of regions) {
    contour.forEach(([x, y], index) => path[index ? "lineTo" : "moveTo"](...toScreen(placed, x, y)));
    path.closePath();
  }
  stroke(context, path, dot, "#7cc4ff");
}

/** Mark the hottest cell with a ring and a cross that leave the place itself free. */
export function drawPeak(context, placed, peak, dot) {
  const [x, y] = toScreen(placed, peak.x, peak.y);
  const path = new Path2D();
  path.arc(x, y, RING * dot, 0, 2 * Math.PI);
  addCross(path, x, y, GAP * dot, 1.6 * RING * dot);
  stroke(context, path, dot, LIGHT);
}

/** Draw the cross-hair through a source point, over the whole canvas but the point itself. */
export function drawCrosshair(context, placed, { x, y }, dot) {
  const [acrossTo, downTo] = toScreen(placed, x, y);
  const path = new Path2D();
  addCross(path, acrossTo, downTo, 2 * GAP * dot, context.canvas.width + context.canvas.height);
  stroke(context, path, dot, "#ffd54a", 1);
}

/** Draw a ruler with its length. */
export function drawRuler(context, placed, facts, { from, to }, dot) {
  const [start, end] = [toScreen(placed, ...from), toScreen(placed, ...to)];
  const path = new Path2D();
  path.moveTo(...start);
  path.lineTo(...end);
  for (const [x, y] of [start, end]) addCross(path, x, y, 0, GAP * dot);
  stroke(context, path, dot, "#ffd54a");
  const { width, height } = context.canvas;
  const isSeen = ([x, y]) => x >= 0 && y >= 0 && x <= width && y <= height;
  if (isSeen(start) || isSeen(end)) write(context, lengthWords(facts, from, to), end, dot);
}

function addCross(path, x, y, gap, reach) {
  for (const [right, down] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    path.moveTo(x + gap * right, y + gap * down);
    path.lineTo(x + reach * right, y + reach * down);
  }
}

/** Stroke light on a dark rim, so that it shows on every grey and colour. */
function stroke(context, path, dot, colour, width = 1.5) {
  context.lineJoin = "round";
  context.strokeStyle = DARK;
  context.lineWidth = (width + 2) * dot;
  context.globalAlpha = 0.6;
  context.stroke(path);
  context.globalAlpha = 1;
  context.strokeStyle = colour;
  context.lineWidth = width * dot;
  context.stroke(path);
}

/** Write words beside a screen point, inside the canvas. */
function write(context, words, [x, y], dot) {
  context.font = `${14 * dot}px system-ui, sans-serif`;
  context.textBaseline = "bottom";
  const { width } = context.measureText(words);
  const { canvas } = context;
  const left = Math.min(Math.max(x + 8 * dot, 4 * dot), canvas.width - width - 4 * dot);
  const bottom = Math.min(Math.max(y - 6 * dot, 20 * dot), canvas.height - 4 * dot);
  context.lineWidth = 3 * dot;
  context.strokeStyle = DARK;
  context.strokeText(words, left, bottom);
  context.fillStyle = LIGHT;
  context.fillText(words, left, bottom);
}

/**
 * Where an image lies on its canvas. Source coordinates are those of the service: (0, 0) is the
 * centre of the top left pixel. A viewport is null for fit, or {scale, x, y}: screen pixels per
 * source pixel, and the source point in the middle of the canvas.
 */
import { isMirrored } from "./hanging.js";

const MAX_SCALE = 16;
const STEPS = [1, 8];

/**
 * Return the frame of an image on a canvas of `width` x `height` screen pixels. `align`: 1 if the
 * chest wall belongs to the right edge, 0 to the left.
 */
export function frameOf(image, width, height) {
  const facts = image.answered.image;
  const toRight = facts.laterality ? facts.laterality === "R" : facts.chest_wall === "right";
  return {
    width,
    height,
    columns: facts.columns,
    rows: facts.rows,
    mirrored: isMirrored(facts),
    align: toRight ? 1 : 0,
  };
}

/** Return the scale at which the whole image fits. */
export const fitScale = (frame) =>
  Math.min(frame.width / frame.columns, frame.height / frame.rows);

/**
 * Return {scale, left, top, mirrored, columns}: the place of the image's top left corner, in whole
 * screen pixels. An image smaller than the canvas keeps its chest wall at its edge.
 */
export function place(frame, viewport) {
  const { columns, mirrored } = frame;
  const scale = viewport ? viewport.scale : fitScale(frame);
  const across = viewport ? (mirrored ? columns - 0.5 - viewport.x : viewport.x + 0.5) : 0;
  const down = viewport ? viewport.y + 0.5 : 0;

  const left = edge(frame.width, columns * scale, across * scale, frame.align);
  const top = edge(frame.height, frame.rows * scale, down * scale, 0.5);
  return { scale, left, top, mirrored, columns };
}

/** Return where an axis starts so that the canvas has no free room, or only at the far side. */
function edge(room, size, middle, align) {
  if (size <= room) return Math.round((room - size) * align);
  return Math.round(Math.min(Math.max(room / 2 - middle, room - size), 0));
}

/** Return the screen point of a source point. */
export function toScreen(placed, x, y) {
  const across = placed.mirrored ? placed.columns - 0.5 - x : x + 0.5;
  return [placed.left + across * placed.scale, placed.top + (y + 0.5) * placed.scale];
}

/** Return the source point under a screen point. */
export function toSource(placed, screenX, screenY) {
  const across = (screenX - placed.left) / placed.scale;
  const x = placed.mirrored ? placed.columns - 0.5 - across : across - 0.5;
  return [x, (screenY - placed.top) / placed.scale - 0.5];
}

/**
 * Return the viewport at another scale that keeps the source point under a screen point: null for
 * fit, which is the smallest scale.
 */
export function zoomed(frame, viewport, scale, [screenX, screenY]) {
  if (scale <= fitScale(frame)) return null;

  const placed = place(frame, viewport);
  const [x, y] = toSource(placed, screenX, screenY);
  const next = Math.min(scale, MAX_SCALE);
  const across = (screenX - frame.width / 2) / next;
  return settled(frame, {
    scale: next,
    x: x + (frame.mirrored ? across : -across),
    y: y - (screenY - frame.height / 2) / next,
  });
}

/** Return the viewport moved by screen pixels. Fit stays fit. */
export function panned(frame, viewport, right, down) {
  if (!viewport) return null;
  const { scale } = viewport;
  const across = (frame.mirrored ? right : -right) / scale;
  return settled(frame, { scale, x: viewport.x + across, y: viewport.y - down / scale });
}

/** Return the viewport of the next step: fit, 1:1, 8:1, and fit again. */
export function stepped(frame, viewport, at) {
  const { scale } = place(frame, viewport);
  const next = STEPS.find((step) => step > scale);
  return next === undefined ? null : zoomed(frame, viewport, next, at);
}

/** Keep the middle of the canvas where the image lies. */
function settled(frame, viewport) {
  const placed = place(frame, viewport);
  const [x, y] = toSource(placed, frame.width / 2, frame.height / 2);
  const isWide = frame.columns * viewport.scale > frame.width;
  const isHigh = frame.rows * viewport.scale > frame.height;
  return {
    scale: viewport.scale,
    x: isWide ? x : (frame.columns - 1) / 2,
    y: isHigh ? y : (frame.rows - 1) / 2,
  };
}

/**
 * Return the viewports of all images after that of image `index` has changed. If linked, images of
 * the same view follow: at the same distance from the chest wall, and at the same scale in
 * millimetres where both spacings are known.
 */
export function linkedViewports(state, index, viewport) {
  const viewports = [...state.viewports];
  viewports[index] = viewport;
  const from = state.images[index];
  if (!state.linked || !from) return viewports;

  for (const to of state.images) {
    if (!to || to === from || to.answered.image.view !== from.answered.image.view) continue;
    viewports[to.index] = viewport && followed(from.answered.image, to.answered.image, viewport);
  }
  return viewports;
}

function followed(from, to, viewport) {
  const areKnown = from.pixel_spacing_mm && to.pixel_spacing_mm;
  const ratio = areKnown ? from.pixel_spacing_mm[0] / to.pixel_spacing_mm[0] : to.rows / from.rows;
  const distance = (from.chest_wall === "left" ? viewport.x : from.columns - 1 - viewport.x) * ratio;
  return {
    scale: viewport.scale / ratio,
    x: to.chest_wall === "left" ? distance : to.columns - 1 - distance,
    y: (to.rows - 1) / 2 + (viewport.y - (from.rows - 1) / 2) * ratio,
  };
}

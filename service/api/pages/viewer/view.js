import { el } from "./dom.js";
import { fullValueIn, HeatLayer, hiddenHeat } from "./heat_layer.js";
import { drawCrosshair, drawOutlines, drawPeak, drawRuler } from "./marks.js";
import { Picture } from "./picture.js";
import { attachPointers } from "./tools.js";
import { imageWords, readoutWords } from "./view_words.js";
import * as viewports from "./viewport.js";
import { greyTable, moved, nextPreset } from "./windowing.js";

const SETTLED = 150; // milliseconds without a change of the window
const DRAWN_FROM =
  "images answer heat shown acknowledged windows inverted viewports crosshair ruler compare tool";
const views = new Set();

/** Return the view of an image that is seen, or undefined. */
export const seenView = (index) =>
  [...views].find(({ image, canvas }) => image?.index === index && canvas.clientWidth > 0);

/**
 * One image on a canvas in a figure: pixels, heat, outlines, peak, cross-hair and ruler. It draws
 * itself when the store or its size changes. `image`: as in the store, or null for none.
 */
export class View {
  #image = null;

  constructor(figure, store) {
    this.store = store;
    this.canvas = el("canvas", { class: "mammogram", role: "img" });
    this.readout = el("p", { class: "readout" });
    figure.prepend(this.canvas, this.readout);
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.heatLayer = new HeatLayer();
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.canvas);
    this.unsubscribe = store.subscribe((state, keys) => this.#changed(state, keys));
    attachPointers(this);
    views.add(this);
  }

  get image() {
    return this.#image;
  }

  set image(image) {
    const isOther = image?.samples !== this.#image?.samples;
    this.#image = image;
    if (isOther) {
      this.picture?.release();
      this.picture = image && new Picture(image.pixels, image.samples);
    }
    if (isOther && image) this.#takeWindow(this.store.state, true);
    this.draw();
  }

  /** Draw in the next animation frame. */
  draw() {
    this.frameRequest ??= requestAnimationFrame(() => {
      this.frameRequest = null;
      this.paint();
    });
  }

  /** Draw at once. A canvas that is not seen is freed. */
  paint() {
    const { canvas, context, image } = this;
    const dot = devicePixelRatio;
    const width = Math.round(canvas.clientWidth * dot);
    const height = Math.round(canvas.clientHeight * dot);
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    if (!width || !height) return this.#release();

    const { state } = this.store;
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
    if (image) paintImage(this, state, dot);
    canvas.dataset.detail = this.picture?.isExact ? "full" : "reduced";
    canvas.classList.toggle("held", Boolean(image && this.viewport) || state.tool !== "pan");
    this.#describe(state);
  }

  /** Return the source point {x, y} under a point of the window, null outside the image. */
  sourceAt(clientX, clientY) {
    if (!this.image) return null;

    const [x, y] = viewports.toSource(this.placed, ...this.pixelAt(clientX, clientY));
    const { rows, columns } = this.frame;
    const isInside = x >= -0.5 && y >= -0.5 && x < columns - 0.5 && y < rows - 0.5;
    return isInside ? { x, y } : null;
  }

  /** Return the point {clientX, clientY} of the window where a source point is drawn. */
  screenOf(x, y) {
    const [across, down] = viewports.toScreen(this.placed, x, y);
    const box = this.canvas.getBoundingClientRect();
    const dot = this.canvas.width / box.width;
    return { clientX: box.left + across / dot, clientY: box.top + down / dot };
  }

  /** Return the screen pixel of the canvas under a point of the window. */
  pixelAt(clientX, clientY) {
    const box = this.canvas.getBoundingClientRect();
    const dot = this.canvas.width / box.width;
    return [(clientX - box.left) * dot, (clientY - box.top) * dot];
  }

  get frame() {
    return viewports.frameOf(this.image, this.canvas.width, this.canvas.height);
  }

  get viewport() {
    return this.store.state.viewports[this.image.index] ?? null;
  }

  set viewport(viewport) {
    const { state } = this.store;
    this.store.change({ viewports: viewports.linkedViewports(state, this.image.index, viewport) });
  }

  get placed() {
    return viewports.place(this.frame, this.viewport);
  }

  /** Zoom by a factor about a screen pixel. */
  zoomBy(factor, at = this.focus()) {
    this.viewport = viewports.zoomed(this.frame, this.viewport, this.placed.scale * factor, at);
  }

  /** Go to the next step: fit, 1:1, 8:1, and fit again. */
  stepZoom(at = this.focus()) {
    this.viewport = viewports.stepped(this.frame, this.viewport, at);
  }

  /** Show the whole image. */
  fit() {
    this.viewport = null;
  }

  /** Move an enlarged image by screen pixels. Return false for one that is shown whole. */
  pan(right, down) {
    if (!this.viewport) return false;
    this.viewport = viewports.panned(this.frame, this.viewport, right, down);
    return true;
  }

  /** Return the screen pixel to zoom about with keys: cross-hair, peak if seen, or middle. */
  focus() {
    const { width, height } = this.canvas;
    const { x, y } = this.own("crosshair") ?? this.#mainPoint();
    const [across, down] = viewports.toScreen(this.placed, x, y);
    const isSeen = across >= 0 && down >= 0 && across < width && down < height;
    return isSeen ? [across, down] : [width / 2, height / 2];
  }

  /** Return the peak if its heat is shown, or else the middle of what the model saw. */
  #mainPoint() {
    const { heat, image } = this.image.answered;
    if (!hiddenHeat(this.store.state, this.image)) return heat.peak;
    const { left, top, right, bottom } = image.breast_box;
    return { x: (left + right - 1) / 2, y: (top + bottom - 1) / 2 };
  }

  get window() {
    return this.store.state.windows[this.image.index] ?? null;
  }

  set window(window) {
    const windows = [...this.store.state.windows];
    windows[this.image.index] = window;
    this.store.change({ windows });
  }

  /** Move the window by shares of its width: see `moved` in windowing.js. */
  moveWindow(wider, higher, start = this.window) {
    this.window = moved(this.image.pixels, start, wider, higher);
  }

  nextPreset() {
    this.window = nextPreset(this.image.pixels, this.window);
  }

  /** Go back to the whole image in the window of the service, without ruler and cross-hair. */
  reset() {
    this.window = null;
    this.fit();
    this.store.change({ inverted: false, ruler: null, crosshair: null });
  }

  toggleCrosshair() {
    if (this.own("crosshair")) this.store.change({ crosshair: null });
    else this.moveCrosshair(0, 0);
  }

  /** Move the cross-hair by screen pixels. It starts where keys zoom. */
  moveCrosshair(right, down) {
    const [x, y] = this.#pointBeside(this.focus(), right, down);
    this.store.change({ crosshair: { index: this.image.index, x, y } });
  }

  /** Move the end of the ruler by screen pixels. It starts where keys zoom. */
  moveRuler(right, down) {
    const { from, to } = this.own("ruler") ?? {};
    const start = to ? viewports.toScreen(this.placed, ...to) : this.focus();
    const end = this.#pointBeside(start, right, down);
    const { index } = this.image;
    this.store.change({ ruler: { index, from: from ?? this.#pointBeside(start, 0, 0), to: end } });
  }

  #pointBeside([across, below], right, down) {
    const { rows, columns } = this.frame;
    const [x, y] = viewports.toSource(this.placed, across + right, below + down);
    return [[x, columns], [y, rows]].map(([at, count]) => Math.min(Math.max(at, 0), count - 1));
  }

  /** Return the cross-hair or the ruler if it is in this image. */
  own(key) {
    const mark = this.store.state[key];
    return mark?.index === this.image.index ? mark : null;
  }

  /** Tell the source point under the pointer; null: that of the cross-hair. */
  tell(source) {
    this.hovered = source;
    this.#describe(this.store.state);
  }

  /** End: the view draws no more and its canvases are freed. */
  dispose() {
    views.delete(this);
    this.unsubscribe();
    this.observer.disconnect();
    this.image = null;
    cancelAnimationFrame(this.frameRequest);
    clearTimeout(this.settling);
    this.#release();
    this.canvas.remove();
    this.readout.remove();
  }

  #changed(state, keys) {
    if (!this.image) return;

    const isMoved = this.taken !== state.windows[this.image.index] || keys.has("inverted");
    if (isMoved) this.#takeWindow(state, false);
    if (DRAWN_FROM.split(" ").some((key) => keys.has(key))) this.draw();
  }

  /** Take the window of the store: in full at once, or when it has not changed for a while. */
  #takeWindow(state, isExact) {
    const { pixels, index } = this.image;
    this.taken = state.windows[index];
    const table = greyTable(pixels, this.taken, state.inverted);
    this.picture.window(table, isExact);
    clearTimeout(this.settling);
    if (isExact) return;

    this.settling = setTimeout(() => {
      this.picture?.window(table, true);
      this.draw();
    }, SETTLED);
  }

  /** Say in words how the canvas shows the image, and what is at one point. */
  #describe(state) {
    const { canvas, image, readout, hovered } = this;
    const label = image ? imageWords(state, image) : "No image";
    if (canvas.ariaLabel !== label) canvas.ariaLabel = label;

    const words = image
      ? readoutWords(state, image, hovered ?? this.own("crosshair"), this.own("ruler"))
      : "";
    readout.ariaLive = hovered ? "off" : "polite";
    if (readout.textContent !== words) readout.textContent = words;
  }

  #release() {
    this.canvas.width = this.canvas.height = 0;
    this.picture?.release();
    this.heatLayer.release();
  }
}

/** Draw image, heat and marks of a view. `dot`: screen pixels per CSS pixel. */
function paintImage(view, state, dot) {
  const { context, image, placed, picture, heatLayer } = view;
  picture.draw(context, placed);

  const { heat, image: facts } = image.answered;
  const isShown = !hiddenHeat(state, image);
  if (isShown) heatLayer.draw(context, placed, image, state.heat, fullValueIn(state, image));
  if (isShown && state.heat.outlines) {
    drawOutlines(context, placed, heat.regions, dot);
    drawPeak(context, placed, heat.peak, dot);
  }
  const [crosshair, ruler] = [view.own("crosshair"), view.own("ruler")];
  if (crosshair) drawCrosshair(context, placed, crosshair, dot);
  if (ruler) drawRuler(context, placed, facts, ruler, dot);
}

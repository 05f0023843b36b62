import { store } from "./store.js";
import { seenView } from "./view.js";

const PIXELS = 40; // moved by an arrow, in CSS pixels
const FINE_PIXELS = 4;
const ZOOM = 1.25;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const tool = (name) => ({ store }) => store.change({ tool: name });
const KEYS = [
  [["+", "="], "zoom in", (view) => view.zoomBy(ZOOM)],
  [["-"], "zoom out", (view) => view.zoomBy(1 / ZOOM)],
  [["z"], "fit, 1:1 and 8:1 in turn", (view) => view.stepZoom()],
  [["f"], "fit the image", (view) => view.fit()],
  [Object.keys(ARROWS), "move image, window or ruler; with Shift: cross-hair", pressArrow],
  [["c"], "cross-hair on or off", (view) => view.toggleCrosshair()],
  [["m"], "tool: move the image", tool("pan")],
  [["w"], "tool: window", tool("window")],
  [["r"], "tool: ruler", tool("ruler")],
  [["i"], "invert", ({ store }) => store.change({ inverted: !store.state.inverted })],
  [["v"], "next preset of the file", (view) => view.nextPreset()],
  [["0"], "reset zoom, window and marks", (view) => view.reset()],
];

/** Keys of the current view, as `addKeys` of keys.js takes them: see tools.js for the pointer. */
export const VIEW_KEYS = KEYS.map(([names, words, act]) => [
  names,
  words,
  (event) => {
    const view = seenView(store.state.current);
    return view ? act(view, event) : false;
  },
]);

/** Do what an arrow key does with the tool at hand. Return false if it does nothing. */
function pressArrow(view, { key, shiftKey }) {
  const [right, down] = ARROWS[key];
  const { tool: name } = view.store.state;
  const fine = FINE_PIXELS * devicePixelRatio;
  const far = PIXELS * devicePixelRatio;

  if (shiftKey) return view.moveCrosshair(right * fine, down * fine);
  if (name === "window") return view.moveWindow(right * 0.1, down * 0.05);
  if (name === "ruler") return view.moveRuler(right * fine, down * fine);
  return view.pan(-right * far, -down * far);
}

/** State of the page. Nothing of it outlives the page. */
let state = {
  phase: "empty",
  files: [], // of the answer that is shown
  pending: null, // files of the next exam: being asked for if there is progress
  progress: null, // {phase, share, seconds, words, started}
  answer: null,
  images: [],
  current: null,
  question: { method: "grad-cam", layer: null },
  answered: null, // the question that the answer is about
  heat: {
    visible: true,
    opacity: 0.6,
    colormap: "cividis",
    level: 0,
    outlines: true,
    scale: "reference",
  },
  shown: new Set(),
  acknowledged: false,
  windows: [],
  viewports: [], // per image null for fit, or {scale, x, y}: see viewport.js
  inverted: false,
  layout: 4,
  pairing: "view", // what the two images of layout 2 share: "view" or "side"
  linked: true,
  tool: "pan",
  crosshair: null,
  ruler: null, // {index, from: [x, y], to: [x, y]} in source pixels
  compare: null,
  problem: null,
  key: null,
  singleKeys: true, // whether keys without Ctrl or Alt act
};
let changed = new Set();
const listeners = new Set();

/**
 * The store. `change(patch)` replaces keys of the state at once: hand in new objects, since a value
 * that is the same object counts as unchanged. Listeners are called once per animation frame as
 * `listener(state, changedKeys)`.
 */
export const store = {
  get state() {
    return state;
  },

  change(patch) {
    const keys = Object.keys(patch).filter((key) => patch[key] !== state[key]);
    if (keys.length === 0) return;

    if (changed.size === 0) requestAnimationFrame(notify);
    keys.forEach((key) => changed.add(key));
    state = { ...state, ...patch };
  },

  /** Return a function that ends the subscription. */
  subscribe(listener) {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

function notify() {
  const keys = changed;
  changed = new Set();
  for (const listener of listeners) listener(state, keys);
}

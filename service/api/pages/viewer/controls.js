import { el } from "./dom.js";
import { button, check, choice, numberSlider, section, slider } from "./inputs.js";
import { movable } from "./windowing.js";

const COLOURS = [
  ["cividis", "Cividis (colour-blind safe)"],
  ["inferno", "Inferno"],
  ["viridis", "Viridis"],
  ["gray", "Grey"],
];
const SCALES = [
  ["reference", "model's reference peak"],
  ["image", "image's own peak"],
  ["exam", "one for all views"],
];
const TOOLS = [
  ["pan", "pan"],
  ["window", "window"],
  ["ruler", "ruler"],
];

/** Build the controls of the heat. */
export function heatSection(store) {
  const set = (key) => (value) => store.change({ heat: { ...store.state.heat, [key]: value } });
  const controls = {
    visible: check("Show heat", set("visible")),
    outlines: check("Outline regions", set("outlines")),
    opacity: slider("Opacity", set("opacity")),
    level: slider("Hide heat below", set("level")),
    colormap: choice("Colours", COLOURS, set("colormap")),
    scale: choice("Full strength", SCALES, set("scale")),
  };
  return bound("Heat controls", controls, ["heat"], ({ heat }) => heat);
}

/** Build the choice of the tool. */
export function toolSection(store) {
  const controls = {
    tool: choice("Dragging", TOOLS, (tool) => store.change({ tool })),
    linked: check("Move views together", (linked) => store.change({ linked })),
  };
  return bound("Tools", controls, ["tool", "linked"], (state) => state);
}

function bound(title, controls, keys, valuesOf) {
  const element = section(title, ...Object.values(controls).map((control) => control.element));
  const update = (state) => {
    for (const [key, { show }] of Object.entries(controls)) show(valuesOf(state)[key]);
  };
  return { element, keys, update };
}

/** Build the controls of the grey values of the current image. */
export function windowSection(store) {
  const preset = choice("Preset", [], choosePreset);
  const center = numberSlider("Centre", (value) => turn({ center: value }));
  const width = numberSlider("Width", (value) => turn({ width: Math.max(value, 1) }));
  const inverted = check("Invert", (value) => store.change({ inverted: value }));
  const element = section(
    "Window",
    ...[preset, center, width, inverted].map((control) => control.element),
    el("p", { class: "actions" }, button("Use for all images", useForAll), button("Reset", reset)),
  );

  const pixelsNow = () => store.state.images[store.state.current].pixels;
  const windowNow = () => movable(pixelsNow(), store.state.windows[store.state.current] ?? null);

  function setWindow(window) {
    const { current, images, windows } = store.state;
    store.change({ windows: images.map((_, at) => (at === current ? window : windows[at])) });
  }

  function choosePreset(value) {
    const { function: curve, center: middle, width: wide } = pixelsNow().presets[value];
    setWindow({ preset: Number(value), function: curve, center: middle, width: wide });
  }

  function turn(change) {
    setWindow({ ...windowNow(), ...change });
  }

  function useForAll() {
    store.change({ windows: store.state.images.map((image) => image && windowNow()) });
  }

  function reset() {
    store.change({ windows: store.state.images.map(() => null), inverted: false });
  }

  function update({ windows, current, inverted: negative }) {
    const { presets, lowest, highest } = pixelsNow();
    const window = windows[current];
    const own = window?.preset === null ? [["", "set by hand"]] : [];
    const { center: middle, width: wide } = windowNow();
    preset.offer([...own, ...presets.map((one, index) => [index, presetWords(one, index)])]);
    preset.show(window ? (window.preset ?? "") : 0);
    center.bound(lowest, highest);
    width.bound(1, Math.max(highest - lowest, ...presets.map((one) => one.width ?? 1)));
    center.show(middle);
    width.show(wide);
    inverted.show(negative);
  }

  return { element, keys: ["answer", "current", "windows", "inverted"], update };
}

/** Return how heat is drawn in words: opacity, level, colours and full strength. */
export function heatSettings({ visible, opacity, level, colormap, scale }) {
  if (!visible) return "nothing: heat is switched off";

  const share = (value) => `${Math.round(100 * value)} %`;
  const colours = COLOURS.find(([name]) => name === colormap)[1];
  const strength = SCALES.find(([name]) => name === scale)[1];
  const limits = `opacity ${share(opacity)}, none below ${share(level)}`;
  return `${limits}, colours ${colours}, full strength: ${strength}`;
}

/** Return the window of an image in words: its preset, or centre / width set by hand. */
export function windowWords({ windows, inverted }, { index, pixels }) {
  const window = windows[index];
  const preset = window ? window.preset : 0;
  const name = "set by hand";
  const words =
    preset === null ? presetWords({ ...window, name }) : presetWords(pixels.presets[preset], preset);
  return inverted ? `${words}, inverted` : words;
}

function presetWords({ name, function: curve, center, width }, index) {
  const values = center === null ? "table" : `${Math.round(center)} / ${Math.round(width)}`;
  const kind = curve === "SIGMOID" ? ", sigmoid" : "";
  return `${name ?? `Window ${index + 1}`}: ${values}${kind}`;
}

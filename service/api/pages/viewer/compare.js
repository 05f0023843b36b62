import { el } from "./dom.js";
import { button, check, choice, section } from "./inputs.js";
import { addKeys } from "./keys.js";
import { questionWords } from "./question.js";
import { View } from "./view.js";
import { NEGATIVE_NOTE } from "./words.js";

const BLINK = 700; // milliseconds
const MODES = [
  ["side", "side by side"],
  ["blink", "one over the other"],
];

/**
 * Build the controls of a comparison. While there is one, the current image is shown twice in
 * place of the views as they hang: with the map of the answer, and with that of `compare`.
 */
export function compareSection(store) {
  const mode = choice("Show", MODES, (value) => setMode(value));
  const blink = check("Blink", restart);
  const swap = button("Show the other map (B)", () => turn());
  const end = button("End comparison", () => store.change({ compare: null }));
  const element = section("Comparison", mode.element, blink.element, swap, end);
  const moves = matchMedia("(prefers-reduced-motion: no-preference)").matches;
  const pair = el("div", { class: "pair" });
  const stage = document.getElementById("stage");
  let halves = [];
  let timer = null;

  addKeys("Heat", [[["b"], "comparison: the other map", () => store.state.compare && turn()]]);

  function update(state) {
    const { compare } = state;
    element.hidden = compare === null;
    stage.classList.toggle("comparing", compare !== null);
    if (compare === null) close();
    else show(state);
  }

  function show({ compare, answer, images, current }) {
    if (halves.length === 0) open();
    const shown = [
      [images[current], questionWords(answer)],
      [compare.images[current], compare.title],
    ];
    halves.forEach(({ view, caption }, at) => {
      const [image, title] = shown[at];
      view.image = image;
      const note = image.answered.prediction.positive === false ? `. ${NEGATIVE_NOTE}` : "";
      caption.textContent = `${image.label}: ${title}${note}`;
    });
    pair.className = `pair ${compare.mode}`;
    mode.show(compare.mode);
    swap.hidden = blink.element.hidden = compare.mode === "side";
    restart();
  }

  function open() {
    halves = [0, 1].map((at) => {
      const caption = el("figcaption");
      const frame = el("div", { class: "frame" });
      const figure = el("figure", { class: at ? "behind" : "" }, caption, frame);
      pair.append(figure);
      return { figure, caption, view: new View(frame, store) };
    });
    blink.show(moves);
    stage.append(pair);
  }

  function close() {
    clearInterval(timer);
    halves.forEach(({ view }) => view.dispose());
    halves = [];
    pair.replaceChildren();
    pair.remove();
  }

  function setMode(value) {
    store.change({ compare: { ...store.state.compare, mode: value } });
  }

  /** Show the other map, one over the other. A reader who does so by hand ends the blinking. */
  function turn() {
    blink.show(false);
    if (store.state.compare.mode === "side") setMode("blink");
    else restart();
    other();
  }

  function other() {
    halves.forEach(({ figure }) => figure.classList.toggle("behind"));
  }

  function restart() {
    clearInterval(timer);
    const blinks = blink.input.checked && store.state.compare.mode === "blink";
    timer = blinks ? setInterval(other, BLINK) : null;
  }

  return { element, keys: ["answer", "current", "compare"], update };
}

import { el } from "./dom.js";
import { joined } from "./figure_words.js";
import { hiddenHeat } from "./heat_layer.js";
import { button, section } from "./inputs.js";
import { coversHeat, gatherWarnings, trustSentence } from "./warnings.js";

/** Build the section of the warnings. */
export function warningsSection(store) {
  const list = el("ul", { class: "warnings" });
  const trust = el("p");
  const words = el("p");
  const uncover = button("", () => store.change({ acknowledged: !store.state.acknowledged }));
  const cover = el("div", { class: "cover" }, words, uncover);
  const element = section("Warnings", list, cover, trust);

  function update(state) {
    const items = gatherWarnings(state, state.current).map(({ about, message, covers }) =>
      el("li", { class: covers ? "grave" : "" }, el("strong", { text: `${about}: ` }), message),
    );
    if (items.length === 0) items.push(el("li", { class: "none", text: "No warning." }));
    list.replaceChildren(...items);
    trust.textContent = trustSentence(state.answer, state.current);
    showCover(state);
  }

  function showCover(state) {
    const covered = state.images.filter((image) => image && coversHeat(state.answer, image.index));
    cover.hidden = covered.length === 0;
    uncover.textContent = state.acknowledged ? "Cover heat again" : "Show heat anyway";
    words.textContent = state.acknowledged
      ? uncoveredWords(state, covered)
      : `Heat of ${labelsOf(covered)} is covered: ` +
        "it would persuade although nothing supports it. " +
        "Show it to study the model, not to judge the image.";
  }

  return { element, keys: ["answer", "current", "acknowledged", "shown", "heat"], update };
}

/** Return which heat is drawn after the reader has acknowledged the warnings, and which is not. */
function uncoveredWords(state, covered) {
  const hiddenBy = (reason) => covered.filter((image) => hiddenHeat(state, image) === reason);
  const sentences = [
    [hiddenBy(null), "is shown although a warning says that it is no evidence."],
    [hiddenBy("negative"), "stays hidden until you ask for it: decided negative."],
    [hiddenBy("off"), "is switched off."],
    [[...hiddenBy("blank"), ...hiddenBy("none")], "cannot be shown: there is none."],
  ];
  return sentences
    .filter(([images]) => images.length > 0)
    .map(([images, words]) => `Heat of ${labelsOf(images)} ${words}`)
    .join(" ");
}

const labelsOf = (images) => joined(images.map(({ label }) => label));

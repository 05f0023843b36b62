import { el } from "./dom.js";
import { blankWords } from "./figure_words.js";
import { button, section } from "./inputs.js";
import { questionWords } from "./question.js";
import { toggleNegative } from "./stage.js";
import { coversHeat } from "./warnings.js";

const COVERED = "It is covered: read the warnings, then choose “Show heat anyway” there.";

/** Return the sentences about state and strength of a heatmap. */
function heatWords({ state, note, relative_peak: peak }) {
  if (state !== "ok") {
    return [`Blank: ${blankWords(state)}. It does not mean that nothing is there.`];
  }
  const strength =
    peak === null
      ? "There is no reference peak for this map: its strength cannot be compared."
      : `Its hottest cell has ${Math.round(100 * peak)} % of the heat of a typical cancer.`;
  return note ? [note, strength] : [strength];
}

/** Build the section of the current heatmap: its method and layer, its state and strength. */
export function heatStateSection() {
  const body = el("div");
  const toggle = button("", () => toggleNegative());
  const why = el("p", { class: "quiet", id: "why-covered", text: COVERED });
  const element = section("Heat of this image", body, toggle, why);
  toggle.setAttribute("aria-describedby", why.id);

  function update({ answer, images, current, shown, acknowledged }) {
    const { heat, prediction } = answer.images[current];
    element.firstChild.textContent = `Heat of ${images[current].label}: ${questionWords(answer)}`;
    body.replaceChildren(...heatWords(heat).map((text) => el("p", { text })));
    toggle.hidden = heat.state !== "ok" || prediction.positive !== false;
    toggle.disabled = !acknowledged && coversHeat(answer, current);
    const isShown = shown.has(current) && !toggle.disabled;
    toggle.textContent = isShown ? "Hide heat of this image" : "Show heat of this image";
    why.hidden = toggle.hidden || !toggle.disabled;
  }

  return { element, keys: ["answer", "current", "shown", "acknowledged"], update };
}

import { diagnosticsSection } from "./bars.js";
import { compareSection } from "./compare.js";
import { heatSection, toolSection, windowSection } from "./controls.js";
import { curlSection } from "./curl.js";
import { decisionSection } from "./decision.js";
import { heatStateSection } from "./heat_state.js";
import { layersSection } from "./layers_panel.js";
import { modelSection } from "./model_facts.js";
import { questionSection } from "./question.js";
import { saveSection } from "./save_picture.js";
import { warningsSection } from "./warnings_section.js";

/** The sections in the order of reading: docs/explanations.md. */
const SECTIONS = [
  warningsSection,
  decisionSection,
  heatStateSection,
  diagnosticsSection,
  heatSection,
  questionSection,
  compareSection,
  windowSection,
  toolSection,
  layersSection,
  saveSection,
  curlSection,
  modelSection,
];

/**
 * Build the panel in `aside`. It is hidden until an image is answered. A section is {element, keys,
 * update(state)}: it is updated when one of its keys has changed.
 */
export function createPanel(aside, store) {
  const sections = SECTIONS.map((build) => build(store));
  aside.classList.add("panel");
  aside.append(...sections.map(({ element }) => element));
  aside.hidden = true;

  store.subscribe((state, changed) => {
    const wasHidden = aside.hidden;
    aside.hidden = !state.images[state.current];
    if (aside.hidden) return;

    for (const { keys, update } of sections) {
      if (wasHidden || keys.some((key) => changed.has(key))) update(state);
    }
  });
}

import { failureWords, getJson } from "./api.js";
import { el, say } from "./dom.js";
import { examFor } from "./exam.js";
import { button, choice, section } from "./inputs.js";
import { METHODS, progressWords } from "./words.js";

const OF_INPUT = ["integrated-gradients", "smooth-grad", "occlusion"];
let layers = null;

/** Return {default_layer, layers} of the model. They are asked for once. */
export function modelLayers() {
  layers ??= getJson("model/layers");
  layers.catch(() => (layers = null));
  return layers;
}

/** Return the option of a layer in a choice. */
export const layerOption = ({ name, stage, width, height, filters }) => [
  name,
  `${name}: ${stage}, ${filters} filters, ${width} x ${height} cells`,
];

/** Return method and layer of an answer in words. */
export function questionWords({ method, layer }) {
  return `${METHODS[method] ?? method} ${layer ? `at ${layer.name}` : "of the input"}`;
}

/** Return the methods as options; those that mean little at a layer are marked and come last. */
function methodOptions({ methods }) {
  const meansLittle = (name) => methods && !methods.includes(name) && !OF_INPUT.includes(name);
  const names = Object.keys(METHODS);
  const ordered = [...names.filter((name) => !meansLittle(name)), ...names.filter(meansLittle)];
  return ordered.map((name) => {
    const mark = meansLittle(name) ? ": means little at this layer" : "";
    return [name, METHODS[name] + (OF_INPUT.includes(name) ? ": of the input, takes long" : mark)];
  });
}

/** Build the choice of method and layer, to explain or to compare with. */
export function questionSection(store) {
  const layer = choice("Layer", [], offerMethods);
  const method = choice("Method", [], () => {});
  const status = el("p", { role: "status" });
  const explain = button("Explain with this", () => store.change({ question: chosen() }));
  const compare = button("Compare with this", askToCompare);
  const actions = el("p", { class: "actions" }, explain, compare);
  const element = section("Method and layer", layer.element, method.element, actions, status);
  let offered = null;
  let shown = {}; // the answer that was told, and its files

  async function update({ answer, files, question }) {
    if (files === shown.files && answer !== shown.answer) say(`Shown: ${questionWords(answer)}.`);
    shown = { answer, files };
    try {
      offered = await modelLayers();
    } catch (error) {
      status.textContent = failureWords(error);
      return;
    }
    layer.offer(offered.layers.map(layerOption));
    layer.show(question.layer ?? offered.default_layer);
    offerMethods();
    method.show(question.method);
  }

  function offerMethods() {
    const kept = method.input.value;
    method.offer(methodOptions(offered.layers.find(({ name }) => name === layer.input.value)));
    method.show(kept || "grad-cam");
  }

  /** Return the question that is chosen. The layer of the model, and of the input, is null. */
  function chosen() {
    const name = layer.input.value;
    const isNull = name === offered.default_layer || OF_INPUT.includes(method.input.value);
    return { method: method.input.value, layer: isNull ? null : name };
  }

  async function askToCompare() {
    const question = chosen();
    const { files } = store.state;
    const onState = (progress) => (status.textContent = progressWords(progress));
    compare.disabled = true;
    try {
      const result = await examFor(question, { onState });
      const { answer, images } = result;
      const compared = { ...question, images, title: questionWords(answer), mode: "side" };
      if (store.state.files === files) store.change({ compare: compared });
      status.textContent = "";
    } catch (error) {
      status.textContent = failureWords(error);
    } finally {
      compare.disabled = false;
    }
  }

  return { element, keys: ["answer", "question"], update };
}

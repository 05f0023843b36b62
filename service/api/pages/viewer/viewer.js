import { getJson } from "./api.js";
import { answerQuestion } from "./exam.js";
import { chooseFiles, createFiles } from "./files.js";
import { createFormer } from "./former.js";
import { addKeys, listenToKeys, showKeys } from "./keys.js";
import { createPanel } from "./panel.js";
import { createStage } from "./stage.js";
import { store } from "./store.js";
import { VIEW_KEYS } from "./view_keys.js";

const main = document.querySelector("main");
const stage = document.getElementById("stage");
const panel = document.getElementById("panel");
const model = document.getElementById("model");

stage.replaceChildren(createFiles(), createStage());
main.prepend(createFormer(main, store));
createPanel(panel, store);
document.getElementById("open").onclick = chooseFiles;
document.getElementById("help").onclick = showKeys;
addKeys("Image", VIEW_KEYS);
listenToKeys();

store.subscribe((state, changed) => {
  if (changed.has("question")) answerQuestion();
  if (!changed.has("answer") || !state.answer) return;

  panel.hidden = false;
  nameModel(state.answer.model);
});

const front = await getJson("");
if (front.model) nameModel(front.model);
else if (front.state !== "ready") model.textContent = "the model is still being loaded";

function nameModel({ name, version }) {
  model.textContent = `${name}, version ${version}`;
}

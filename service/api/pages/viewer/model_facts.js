import { failureWords, getJson, ROOT } from "./api.js";
import { el } from "./dom.js";
import { section } from "./inputs.js";

/** Build the facts about the model. Limitations are asked for once for each version. */
export function modelSection() {
  const facts = el("dl");
  const limits = el("p");
  const link = (path, text) => el("a", { href: new URL(path, ROOT).href, text, target: "_blank" });
  const pages = [link("viewer/model", "About the model"), link("model/scorecard", "Scorecard")];
  const links = el("p", { class: "actions" }, ...pages);
  const notice = el("p", { class: "notice", text: "Not a medical device. Research only." });
  const element = section("Model", facts, limits, links, notice);
  let asked = null;

  async function update({ answer: { model } }) {
    if (model.digest === asked) return;
    asked = model.digest;
    const pairs = {
      Name: `${model.name}, version ${model.version}`,
      Digest: model.digest,
      "Intended use": model.intended_use,
    };
    const asPair = ([name, text]) => [el("dt", { text: name }), el("dd", { text })];
    facts.replaceChildren(...Object.entries(pairs).flatMap(asPair));
    try {
      limits.textContent = (await getJson("model")).limitations;
    } catch (error) {
      limits.textContent = failureWords(error);
    }
  }

  return { element, keys: ["answer"], update };
}

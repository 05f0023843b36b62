import { Failure, failureWords, getJson } from "./api.js";
import { folded, percentage, table } from "./chart.js";
import { el } from "./dom.js";
import { digits } from "./figure_words.js";
import { showHeat } from "./heat_gallery.js";
import { showLayers } from "./layer_guide.js";
import { whenSeen } from "./lazy_part.js";
import { showCalibration, showCurves, showFloor, showLevels } from "./measured_curves.js";
import { showScorecard, showShortcuts } from "./scorecard_table.js";

const say = (text) => document.getElementById("state").replaceChildren(text);
const part = (name) => document.querySelector(`[data-part="${name}"]`);

/** Ask the service about its model and fill the page. The pictures wait until they are seen. */
async function fillPage() {
  const model = await getJson("model", { onState: ({ words }) => words && say(words) });
  say("");
  showHead(model);
  part("levels").replaceChildren(...showLevels(model.levels));
  part("floor").replaceChildren(...showFloor(model.figures));
  part("provenance").replaceChildren(...showProvenance(model));

  const [layers, scorecard, curves] = await Promise.all([
    getJson("model/layers"),
    orNull(getJson("model/scorecard")),
    orNull(getJson("model/curves")),
  ]);
  part("scorecard").replaceChildren(...(scorecard ? showScorecard(scorecard) : [untested()]));
  part("shortcuts").replaceChildren(...showShortcuts(scorecard));
  part("curves").replaceChildren(...showCurves(curves, model.levels));
  part("calibration").replaceChildren(...showCalibration(curves?.calibration, model.figures));
  whenSeen(part("layers"), "Show the maps", (tell) => showLayers(model, layers, tell));
  whenSeen(part("heat"), "Show the heatmaps", (tell) => showHeat(model, layers, tell));
}

/** Return the answer, or null where there is none: the bundle has no such facts. */
async function orNull(answer) {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Failure && error.problem.status === 404) return null;
    throw error;
  }
}

function showHead(model) {
  const { name, version, digest, intended_use: use } = model.model;
  document.title = `Model ${name}, version ${version} - mammolens`;
  document.getElementById("title").textContent = `Model ${name}, version ${version}`;
  const warnings = model.warnings.map(({ code, message }) =>
    el("li", {}, el("code", { text: code }), ` ${message}`),
  );
  const head = [
    el("p", { class: "limits", text: model.limitations }),
    facts({
      "Intended use": use,
      "Training data": model.training,
      Created: model.created,
      Digest: el("code", { text: digest }),
      Decides: `${model.positive_class}, of ${model.classes.join(" or ")}`,
      Input: `${model.input_height} x ${model.input_width} pixels of the breast`,
      "Calibrated for": prevalence(model.deployment_prevalence),
    }),
  ];
  if (warnings.length > 0) {
    const name = el("h2", { text: "Warnings about this model version" });
    head.unshift(el("div", { class: "warnings" }, name, el("ul", {}, ...warnings)));
  }
  document.getElementById("head").replaceChildren(...head);
}

function prevalence(share) {
  if (share === null) return "not recorded";
  return `${percentage(share)} of images with cancer`;
}

function showProvenance({ provenance, figures, temperature, offset }) {
  const measured = folded(
    "All figures of the bundle",
    table(
      "Measured when the model was trained",
      ["Figure", "Value"],
      Object.entries({ ...figures, temperature, offset }).map(([name, value]) => [
        el("code", { text: name }),
        digits(value),
      ]),
    ),
  );
  if (!provenance) {
    const text = "The bundle does not say from which data and code it was made.";
    return [el("p", { class: "summary", text }), measured];
  }
  const { versions, seeds, patients, images, device, ...digests } = provenance;
  const counts = Object.keys(patients).map((name) => [
    name,
    String(patients[name]),
    String(images[name] ?? "-"),
  ]);
  const pairs = [...Object.entries(digests), ["device", device], ...Object.entries(versions)];
  pairs.push(...Object.entries(seeds).map(([name, seed]) => [`seed of ${name}`, seed]));
  const rows = pairs.map(([name, value]) => [name, el("code", { text: value ?? "not known" })]);
  const made = folded(
    "Data, code and versions",
    table("Patients and images by part", ["Part", "Patients", "Images"], counts),
    table("Digests (SHA-256), commit and versions", ["Fact", "Value"], rows),
  );
  return [made, measured];
}

function facts(values) {
  const pairs = Object.entries(values).flatMap(([name, value]) => [
    el("dt", { text: name }),
    el("dd", {}, value),
  ]);
  return el("dl", { class: "facts" }, ...pairs);
}

function untested() {
  const text =
    "There is no scorecard: this model version was exported without these tests. " +
    "Nothing gives reason to believe its heatmaps.";
  return el("p", { class: "summary untested", text });
}

fillPage().catch((error) => say(failureWords(error)));

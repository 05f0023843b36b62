import { askActivations } from "./api.js";
import { el } from "./dom.js";
import { digits } from "./figure_words.js";
import { askSample, sampleFiles } from "./sample_exam.js";
import { drawFrame, drawRing, framed, stroke } from "./small_view.js";

const VIEW = 0; // of the sample exam: R CC, which has a lesion
const MAPS = 6;
const COLUMNS = 240; // of a picture
const STAGES = ["early", "middle", "deep"];
const SEEN = {
  early:
    "Edges. The maps still look like the picture, as if drawn with a pencil: dense tissue, " +
    "strands and the skin line, each filter in its own direction or contrast. Beside the " +
    "strongest filter, weak ones are almost black. A cell sees enough for an edge and too little " +
    "for a mass.",
  middle:
    "Patterns. A cell sums up its neighbourhood, so lines become areas. Filters disagree: some " +
    "answer along the rim of the breast, some in dense tissue, some at strands or groups of " +
    "bright spots. That they differ is a good sign.",
  deep:
    "Abstract features. A few coarse cells, each of which sees a good part of the breast. Do not " +
    "ask what a map looks like, ask where it is bright. Several filters at one place agree that " +
    "something is there. The meaning of a single one can rarely be named.",
};

/**
 * Return a part for each stage of the network: its layer, what one cell sees, drawn to scale
 * over the sample, and the maps of the strongest filters.
 */
export async function showLayers(model, layers, tell) {
  tell("Asking for the sample view.");
  const [{ images }, files] = await Promise.all([
    askSample({ method: "grad-cam", layer: null }, tell),
    sampleFiles(),
  ]);
  const parts = [];
  for (const [stage, layer, others] of byStage(layers)) {
    tell(`Asking for the maps of ${layer.name}.`);
    const answer = await askActivations(layer.name, files[VIEW], { scale: "layer" });
    parts.push(await stagePart(stage, answer, others, images[VIEW], model));
  }
  return parts;
}

/** Return [stage, layer, names of its other layers]; of the deep ones the default layer. */
function byStage({ layers, default_layer: name }) {
  return STAGES.flatMap((stage) => {
    const those = layers.filter((layer) => layer.stage === stage);
    if (those.length === 0) return [];
    const middle = those[Math.floor((those.length - 1) / 2)];
    const layer = those.find((one) => one.name === name) ?? (stage === "early" ? those[0] : middle);
    return [[stage, layer, those.filter((one) => one !== layer).map((one) => one.name)]];
  });
}

async function stagePart(stage, answer, others, image, model) {
  const { layer, filters } = answer;
  const frame = frameOf(answer, model);
  const spot = spotOf(image);
  const strongest = filters.toSorted((one, other) => other.maximum - one.maximum).slice(0, MAPS);
  const maps = await Promise.all(strongest.map((one) => filterFigure(one, answer, frame, spot)));
  const field = fieldFigure(answer, frame, spot, image);
  const title = `${stage[0].toUpperCase()}${stage.slice(1)}: ${layer.name}`;
  return el(
    "div",
    { class: "stage" },
    el("h3", { text: title }),
    el("p", { text: layer.reading }),
    el("div", { class: "seen" }, field, el("div", { class: "maps" }, ...maps)),
    el("p", {}, el("strong", { text: "What one sees: " }), SEEN[stage]),
    el("p", { class: "quiet", text: countWords(filters, others) }),
  );
}

function countWords(filters, others) {
  const dark = filters.filter((one) => one.maximum <= 0).length;
  const { black, white } = filters[0];
  const words = [
    `The ${Math.min(MAPS, filters.length)} strongest of ${filters.length} filters, on one scale: ` +
      `black is ${digits(black)}, white is ${digits(white)}.`,
    dark === 0 ? "No filter is dark on this view." : `${dark} filters are dark on this view.`,
  ];
  if (others.length > 0) words.push(`Other layers of this stage: ${others.join(", ")}.`);
  return words.join(" ");
}

/** Return the sample view with the squares of pixels that one cell sees, to scale. */
function fieldFigure({ layer, cell_to_source: matrix }, frame, spot, image) {
  const { receptive_field: field, effective_size: effective } = layer;
  const canvas = el("canvas", { role: "img" });
  const context = drawFrame(canvas, image, frame, COLUMNS);
  const zoom = [matrix[0][0] / field.stride_x, matrix[1][1] / field.stride_y];
  drawSquare(context, spot, field, zoom, []);
  const isSmaller = effective && effective.height < field.height - 2;
  if (isSmaller) drawSquare(context, spot, effective, zoom, [4, 3]);
  const words = [
    `One cell sees ${field.height} x ${field.width} of the model's pixels (solid).`,
    isSmaller &&
      `The part that moves it most is about ${Math.round(effective.height)} x ` +
        `${Math.round(effective.width)} (dashed).`,
    `${layer.height} x ${layer.width} cells.`,
  ];
  const text = words.filter(Boolean).join(" ");
  canvas.setAttribute("aria-label", `R CC. ${text}`);
  return el("figure", { class: "field" }, canvas, el("figcaption", { text }));
}

async function filterFigure(filter, { cell_to_source: matrix, layer }, frame, spot) {
  const bytes = Uint8Array.from(atob(filter.png), (letter) => letter.charCodeAt(0));
  const map = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const name = `filter ${filter.index}`;
  const words = `up to ${digits(filter.maximum)}`;
  const canvas = el("canvas", { role: "img", "aria-label": `${layer.name}, ${name}: ${words}` });
  const { context } = framed(canvas, frame, COLUMNS);
  const [[a, , c], [, e, f]] = matrix;
  context.imageSmoothingEnabled = false;
  context.drawImage(map, c + 0.5 - a / 2, f + 0.5 - e / 2, a * map.width, e * map.height);
  drawRing(context, spot);
  return el("figure", {}, canvas, el("figcaption", { text: `${name}, ${words}` }));
}

function drawSquare(context, { x, y }, { height, width }, [across, down], dashes) {
  const [w, h] = [width * across, height * down];
  stroke(context, dashes, () => context.rect(x + 0.5 - w / 2, y + 0.5 - h / 2, w, h));
}

/** Return the part of the source that the model sees, from the place of a layer's cells. */
function frameOf({ layer, cell_to_source: [[a, , c], [, e, f]], image }, model) {
  const { receptive_field: field } = layer;
  const [across, down] = [a / field.stride_x, e / field.stride_y];
  const after = model.input_width - 1 - field.offset_x - field.stride_x * (layer.width - 1);
  const before = image.chest_wall === "right" ? after : field.offset_x; // turned in the model
  return {
    left: c + 0.5 - (before + 0.5) * across,
    top: f + 0.5 - (field.offset_y + 0.5) * down,
    width: model.input_width * across,
    height: model.input_height * down,
  };
}

/** Return the place at which stages are compared: the peak of the heat, or the breast's middle. */
function spotOf({ answered: { heat, image } }) {
  if (heat?.peak) return heat.peak;
  const { left, top, right, bottom } = image.breast_box;
  return { x: (left + right) / 2, y: (top + bottom) / 2 };
}

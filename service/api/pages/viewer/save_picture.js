import { heatSettings, windowWords } from "./controls.js";
import { imageDecision } from "./decision.js";
import { el } from "./dom.js";
import { button, section } from "./inputs.js";
import { withText } from "./png_text.js";
import { questionWords } from "./question.js";
import { gatherWarnings } from "./warnings.js";
import { decisionWord, percent } from "./words.js";

const LINE = 20; // height in pixels, below the images
const FONT = "14px system-ui, sans-serif";

/**
 * Return the lines below a saved picture: model, method, date, decisions, settings of the heat,
 * windows, warnings. They name neither a patient nor a file.
 */
function pictureLines(state, now = new Date()) {
  const { answer, compare } = state;
  const { model, exam, breasts } = answer;
  const images = state.images.filter(Boolean);
  const warnings = images.flatMap(({ index }) => gatherWarnings(state, index));
  const maps = [questionWords(answer), ...(compare ? [compare.title] : [])].join(" and ");
  return [
    "Not a medical device. Research only.",
    `Model ${model.name}, version ${model.version}, digest ${model.digest}`,
    `Heat: ${maps}. Saved ${now.toISOString().slice(0, 16).replace("T", " ")} UTC`,
    exam ? `Exam ${decided(exam)}` : "Exam not judged",
    ...Object.entries(breasts).map(([side, one]) => one && `${side} breast ${decided(one)}`),
    ...images.map(({ label, answered }) => `${label} ${decided(imageDecision(answered))}`),
    `Heat drawn with ${heatSettings(state.heat)}`,
    ...images.map((image) => `${image.label} window ${windowWords(state, image)}`),
    ...new Set(warnings.map(({ about, message }) => `Warning, ${about}: ${message}`)),
  ].filter(Boolean);
}

function decided({ positive, probability, threshold }) {
  const { shape, word } = decisionWord(positive);
  const limit = threshold === null ? "" : `, threshold ${percent(threshold)}`;
  return `${shape} ${word}: ${percent(probability)}${limit}`;
}

/** Return the stage as it is shown, with lines below, as a PNG that has them as text, too. */
async function drawPicture(stage, lines) {
  const box = stage.getBoundingClientRect();
  const sheet = document.createElement("canvas");
  const context = sheet.getContext("2d");
  context.font = FONT;
  const wrapped = lines.flatMap((line) => wrap(context, line, box.width - LINE));
  sheet.width = box.width * devicePixelRatio;
  sheet.height = (box.height + LINE * (wrapped.length + 1)) * devicePixelRatio;

  context.fillRect(0, 0, sheet.width, sheet.height);
  context.scale(devicePixelRatio, devicePixelRatio);
  context.font = FONT;
  context.fillStyle = "#fff";
  const placeOf = (element) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    return [left - box.left, top - box.top, width, height];
  };
  const isSeen = (element) => element.checkVisibility({ visibilityProperty: true });
  for (const canvas of [...stage.querySelectorAll("canvas")].filter(isSeen)) {
    if (canvas.width && canvas.height) context.drawImage(canvas, ...placeOf(canvas));
  }
  for (const caption of [...stage.querySelectorAll("figcaption")].filter(isSeen)) {
    const words = [...caption.childNodes].filter((one) => !one.matches?.("button, .name"));
    words.forEach((one) => drawWords(context, one, box));
  }
  context.font = FONT;
  context.textBaseline = "alphabetic";
  wrapped.forEach((line, at) => context.fillText(line, LINE / 2, box.height + LINE * (at + 1)));

  const png = await new Promise((resolve) => sheet.toBlob(resolve));
  return withText(png, lines.join("\n"));
}

/** Draw the words of a node where they stand on the stage, wrapped to the width they have there. */
function drawWords(context, node, box) {
  const range = document.createRange();
  range.selectNodeContents(node);
  const { left, top, width } = range.getBoundingClientRect();
  const style = getComputedStyle(node.nodeType === Node.TEXT_NODE ? node.parentElement : node);
  const height = parseFloat(style.lineHeight);
  // The shorthand `font` is empty where a style has more than it can say, such as tabular figures.
  context.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  context.textBaseline = "middle";
  wrap(context, node.textContent.trim(), width + 1).forEach((line, at) => {
    context.fillText(line, left - box.left, top - box.top + height * (at + 0.5));
  });
}

function wrap(context, text, width) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (context.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** Build the button that saves the images as they are shown. */
export function saveSection(store) {
  const save = button("Save the images as PNG", async () => {
    const stage = document.querySelector(store.state.compare ? ".pair" : ".figures");
    const blob = await drawPicture(stage, pictureLines(store.state));
    const url = URL.createObjectURL(blob);
    el("a", { href: url, download: "mammolens.png" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
  });
  const words =
    "As they are shown, with decisions, warnings and model below. No name is added; letters in " +
    "the pixels stay.";
  const element = section("Save", save, el("p", { class: "quiet", text: words }));
  return { element, keys: [], update() {} };
}

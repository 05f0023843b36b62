import { el } from "./dom.js";

/** Build a section with a heading. */
export const section = (title, ...children) =>
  el("section", { "aria-label": title }, el("h2", { text: title }), ...children);

/** Build a button. */
export const button = (text, onclick) => el("button", { type: "button", text, onclick });

const labelled = (text, ...inputs) =>
  el("label", { class: "control" }, el("span", { text }), ...inputs);

/** Build a slider of a share of 1. `onInput(value)` is told each change. */
export function slider(text, onInput) {
  const output = el("output");
  const input = el("input", { type: "range", min: 0, max: 1, step: 0.05 });
  input.oninput = () => onInput(input.valueAsNumber);
  const show = (value) => {
    input.value = value;
    output.textContent = `${Math.round(100 * value)} %`;
    input.setAttribute("aria-valuetext", output.textContent);
  };
  return { element: labelled(text, input, output), show };
}

/** Build a slider with a field for numbers. `bound(min, max)` sets the ends of the slider. */
export function numberSlider(text, onInput) {
  const input = el("input", { type: "range", "aria-label": `${text}, slider` });
  const field = el("input", { type: "number", step: "any" });
  for (const one of [input, field]) {
    one.oninput = () => Number.isFinite(one.valueAsNumber) && onInput(one.valueAsNumber);
  }
  const bound = (min, max) => Object.assign(input, { min, max, step: "any" });
  const show = (value) => {
    input.value = value;
    if (field !== document.activeElement) field.value = Number(value.toFixed(1));
  };
  return { element: el("div", {}, labelled(text, field), input), bound, show };
}

/** Build a choice. Options are [value, words]; `offer` replaces them. */
export function choice(text, options, onChange) {
  const input = el("select", { onchange: () => onChange(input.value) });
  const offer = (pairs) =>
    input.replaceChildren(...pairs.map(([value, words]) => new Option(words, value)));
  offer(options);
  return { element: labelled(text, input), input, offer, show: (value) => (input.value = value) };
}

/** Build a check box. */
export function check(text, onChange) {
  const input = el("input", { type: "checkbox", onchange: () => onChange(input.checked) });
  const element = el("label", { class: "check" }, input, text);
  return { element, input, show: (value) => (input.checked = value) };
}

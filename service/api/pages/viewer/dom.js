const SVG = "http://www.w3.org/2000/svg";

/**
 * Return a new HTML element. A property that the element lacks, such as `aria-label`, becomes an
 * attribute. Children that are null or false are left out.
 */
export function el(tag, { class: name, text, dataset, ...properties } = {}, ...children) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text !== undefined) element.textContent = text;
  Object.assign(element.dataset, dataset);
  for (const [key, value] of Object.entries(properties)) {
    if (key in element) element[key] = value;
    else if (value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child || child === 0));
  return element;
}

/** Return a new SVG element. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Tell a screen reader what has changed. */
export function say(text) {
  document.getElementById("live").textContent = text;
}

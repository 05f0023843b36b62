import { ROOT } from "./api.js";
import { el, say } from "./dom.js";
import { button } from "./inputs.js";

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** Return a part of a form that sends a file, as curl reads it. */
function part(name, file) {
  const path = /^[\w.-]+$/.test(file) ? file : `"${file.replace(/["\\]/g, "\\$&")}"`;
  return `-F ${quoted(`${name}=@${path}`)}`;
}

/** Return the address of a route. The lowest level of a region is 0.05. */
function address(path, { question, heat }, more) {
  const options = {
    ...question,
    level: heat.level >= 0.05 ? heat.level : null,
    scale: heat.scale === "image" ? "image" : null,
    ...more,
  };
  const given = Object.entries(options).filter(([, value]) => value !== null);
  return new URL(`${path}?${new URLSearchParams(given)}`, ROOT).href;
}

function command(url, parts, { key }) {
  const access = key ? ["-H 'Authorization: Bearer YOUR_KEY'"] : [];
  return ["curl", ...access, ...parts, quoted(url)].join(" ");
}

/** Return {url, command} that give the answer about the exam. */
function examCommand(state) {
  const url = address("exam", state, { heat: "all" });
  const parts = state.files.map(({ name, side, view }) =>
    part(side && view ? `${side}-${view}` : "file", name),
  );
  return { url, command: command(url, parts, state) };
}

/** Return {url, command} that give the picture of the current image. */
function pictureCommand(state) {
  const { colormap, opacity } = state.heat;
  const { name, side, view } = state.files[state.current];
  const url = address("gradcam.png", state, { colormap, opacity });
  const facts = side && view ? [`-F laterality=${side}`, `-F view=${view}`] : [];
  const parts = [part("file", name), ...facts, "-o heat.png"];
  return { url, command: command(url, parts, state) };
}

/** Build the commands that give the same without this page. */
export function curlSection(store) {
  const fields = [
    ["the exam", examCommand],
    ["this image's picture", pictureCommand],
  ].map(([name, make]) => {
    const text = el("textarea", { readOnly: true, rows: 4, "aria-label": `Command for ${name}` });
    const copy = async (words) => {
      await navigator.clipboard.writeText(words);
      say("Copied.");
    };
    const actions = el(
      "p",
      { class: "actions" },
      button(`Copy the curl command for ${name}`, () => copy(make(store.state).command)),
      button(`Copy the URL for ${name}`, () => copy(make(store.state).url)),
    );
    return { text, make, children: [text, actions] };
  });
  const words =
    "To be run in the folder of the files. The service has no common scale for several views: " +
    "its default is used.";
  const element = el(
    "details",
    {},
    el("summary", { text: "The same by curl" }),
    el("p", { class: "quiet", text: words }),
    ...fields.flatMap(({ children }) => children),
  );
  const update = (state) => fields.forEach(({ text, make }) => (text.value = make(state).command));
  return { element, keys: ["question", "current", "heat", "key", "files"], update };
}

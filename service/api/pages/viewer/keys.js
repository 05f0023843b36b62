import { el } from "./dom.js";
import { cancel } from "./exam.js";
import { chooseFiles } from "./files.js";
import { chooseLayout, step, toggleNegative } from "./stage.js";
import { store } from "./store.js";

const heat = (patch) => store.change({ heat: { ...store.state.heat, ...patch } });
const toggleHeat = (name) => heat({ [name]: !store.state.heat[name] });
const opacity = (by) => {
  const tenths = Math.round(10 * (store.state.heat.opacity + by));
  heat({ opacity: Math.min(10, Math.max(0, tenths)) / 10 });
};

/** Groups of keys: [group, [[keys, words, act(event)], ...]]. */
const GROUPS = [
  [
    "Files and views",
    [
      [["o"], "open files", chooseFiles],
      [["4"], "four views", () => chooseLayout(4)],
      [["2"], "two views; again: the other pair", () => chooseLayout(2)],
      [["1"], "one view", () => chooseLayout(1)],
      [["n"], "next image", () => step(1)],
      [["p"], "former image", () => step(-1)],
      [["Escape"], "cancel the request", cancel],
    ],
  ],
  [
    "Heat",
    [
      [["h"], "heat on or off", () => toggleHeat("visible")],
      [["d"], "heat of this image although decided negative", () => toggleNegative()],
      [["l"], "outlines on or off", () => toggleHeat("outlines")],
      [["]"], "heat stronger", () => opacity(0.1)],
      [["["], "heat weaker", () => opacity(-0.1)],
    ],
  ],
];

/** Add a group of keys: [[keys, words, act(event)], ...]. */
export function addKeys(group, keys) {
  const there = GROUPS.find(([name]) => name === group);
  if (there) there[1].push(...keys);
  else GROUPS.push([group, keys]);
}

/** Listen to keys. Letters act only while the reader has not turned them off. */
export function listenToKeys() {
  addEventListener("keydown", (event) => {
    if (event.key.startsWith("Arrow") && !isOnStage(event.target)) return;
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "?") return act(event, showKeys);
    if (!store.state.singleKeys && event.key.length === 1) return;

    const wanted = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const all = GROUPS.flatMap(([, keys]) => keys);
    const hit = all.find(([keys]) => keys.includes(wanted));
    if (hit) act(event, hit[2]);
  });
}

function act(event, action) {
  if (action(event) !== false) event.preventDefault();
}

/** A slider takes arrows, Home, End, Page Up and Page Down alone, and none of them acts here. */
const isTyping = (target) =>
  target.matches?.("input:not([type=checkbox], [type=range]), select, textarea");

/** Elsewhere arrows scroll, or change a control. */
const isOnStage = (target) => target === document.body || target.closest("#stage");

/** Show all keys in a dialog. */
export function showKeys() {
  const close = el("button", { text: "Close", onclick: () => dialog.close() });
  const on = el("input", { type: "checkbox", checked: store.state.singleKeys });
  on.onchange = () => store.change({ singleKeys: on.checked });
  const dialog = el(
    "dialog",
    { class: "keys", "aria-label": "Keys" },
    el("h2", { text: "Keys" }),
    el("div", { class: "groups" }, ...GROUPS.map(asTable)),
    el("p", {}, el("label", {}, on, " Letters, digits and signs act as keys")),
    close,
  );
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
}

function asTable([group, keys]) {
  const rows = keys.map(([names, words]) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, ...names.map((name) => el("kbd", { text: shownName(name) }))),
      el("td", { text: words }),
    ),
  );
  return el("table", {}, el("caption", { text: group }), el("tbody", {}, ...rows));
}

const NAMES = { Escape: "Esc", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };
const shownName = (name) => NAMES[name] ?? name.toUpperCase();

import { Failure } from "./api.js";
import { el } from "./dom.js";
import { askAbout, cancel, discard, openFiles } from "./exam.js";
import { sampleFiles } from "./sample_exam.js";
import { store } from "./store.js";
import { problemText, progressWords, viewName } from "./words.js";

// In the page for good: a browser may collect one that is not, and forget what was chosen.
const chooser = el("input", { type: "file", multiple: true, hidden: true });
chooser.onchange = () => {
  openFiles(chooser.files);
  chooser.value = ""; // the same files may be chosen again
};

/** Return the area that takes files, shows what becomes of them, and tells problems. */
export function createFiles() {
  const area = el("div", { class: "files" });
  const bar = createProgress();
  store.subscribe((state, changed) => {
    if (changed.has("progress")) bar.update(state.progress);
    if (["phase", "pending", "problem", "answer"].some((key) => changed.has(key))) draw();
  });
  acceptDrops();
  document.body.append(chooser);
  draw();
  return area;

  function draw() {
    const { answer, pending, problem } = store.state;
    area.replaceChildren(
      problem ? problemBox(problem, Boolean(pending)) : "",
      pending ? pendingBox(pending) : "",
      bar.element,
      answer || pending ? "" : dropArea(),
    );
    if (document.activeElement === document.body) area.querySelector(".problem")?.focus();
  }
}

/** Let the reader choose files in the dialog of the browser. */
export function chooseFiles() {
  chooser.click();
}

async function openSample() {
  try {
    const files = await sampleFiles();
    openFiles(files.map(({ file, name }) => new File([file], name)));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    store.change({ problem: error.problem });
  }
}

function acceptDrops() {
  const mark = (on) => document.body.classList.toggle("dragging", on);
  addEventListener("dragover", (event) => {
    event.preventDefault();
    mark(true);
  });
  addEventListener("dragleave", (event) => event.relatedTarget || mark(false));
  addEventListener("drop", (event) => {
    event.preventDefault();
    mark(false);
    openFiles(event.dataTransfer.files);
  });
}

function dropArea() {
  const choose = el("button", { class: "main", text: "Choose files", onclick: chooseFiles });
  const sample = el("button", { text: "Show the sample exam", onclick: openSample });
  const facts = [
    "DICOM, PNG, JPEG or TIFF. The four standard views of both breasts are best; one is enough.",
    "Files go to this service alone. Neither the service nor this page keeps them.",
    "The sample exam is made of phantoms. It shows no person.",
  ];
  return el(
    "div",
    { class: "drop" },
    el("h2", { text: "Drop up to eight mammograms of one exam here" }),
    el("p", {}, choose, sample),
    ...facts.map((text) => el("p", { class: "quiet", text })),
  );
}

function problemBox({ title, detail, remedy }, hasPending) {
  const close = () => store.change({ problem: null });
  return el(
    "div",
    { class: "problem", role: "group", "aria-label": "Problem", tabIndex: -1 },
    el("h2", { text: title }),
    el("p", { text: detail ?? "" }),
    remedy && el("p", {}, el("strong", { text: "What to do: " }), remedy),
    !hasPending && el("button", { text: "Close", onclick: close }),
  );
}

/** Return the list of files that are being asked for, or wait for the reader to ask again. */
function pendingBox(files) {
  const isReading = files.some((file) => file.status === "reading");
  const again = el("button", { class: "main", text: "Ask again", onclick: () => askAbout(files) });
  const drop = el("button", { text: "Discard these files", onclick: discard });
  const number = files.length === 1 ? "One file" : `${files.length} files`;
  return el(
    "div",
    { class: "pending" },
    el("h2", {
      text: isReading ? `Reading ${number.toLowerCase()}` : `${number} without an answer`,
    }),
    el("ul", {}, ...files.map((file) => fileLine(file, !isReading && files.length > 1))),
    !isReading && el("p", {}, again, drop),
  );
}

function fileLine({ id, name, side, view, proposed, status, problem }, canRemove) {
  const named = side && `${viewName(side, view)}${proposed ? ", from the name" : ""}`;
  const word = { chosen: "not answered", reading: "reading", refused: "refused" }[status];
  return el(
    "li",
    { class: status },
    el("span", { class: "name", text: name }),
    el("span", { class: "quiet", text: named ?? "side and view: from the file" }),
    el("span", { class: "state", text: word }),
    canRemove &&
      el("button", {
        class: "small",
        text: "Remove",
        "aria-label": `Remove ${name}`,
        onclick: () => remove(id),
      }),
    problem && el("span", { class: "why", text: problemText(problem) }),
  );
}

function remove(id) {
  store.change({ pending: store.state.pending.filter((file) => file.id !== id) });
}

/** Return the line that tells how far a request is, and for how long it has run. */
function createProgress() {
  const meter = el("progress", { max: 1, "aria-label": "Progress" });
  const words = el("span", { class: "words" });
  const time = el("span", { class: "time" });
  const stop = el("button", { text: "Cancel", onclick: cancel });
  const element = el("div", { class: "progress", hidden: true }, meter, words, time, stop);
  let progress = null;
  setInterval(tick, 500);
  return { element, update };

  function update(next) {
    progress = next;
    element.hidden = !progress;
    if (!progress) return;

    words.textContent = progressWords(progress);
    if (progress.share === null) meter.removeAttribute("value");
    else meter.value = progress.share;
    tick();
  }

  function tick() {
    if (progress) time.textContent = `${Math.floor((Date.now() - progress.started) / 1000)} s`;
  }
}

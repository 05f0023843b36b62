import { askExam, Failure } from "./api.js";
import { say } from "./dom.js";
import { readFileName } from "./file_names.js";
import { hang, hungImages } from "./hanging.js";
import { store } from "./store.js";
import { decisionWord, PROBLEMS, progressWords } from "./words.js";

const MAX_FILES = 8;
let answers = new Map(); // promises by method and layer: the service keeps nothing
let control = null; // of the request whose progress is shown
let asked = null; // name of the question that waits for its answer
let nextId = 1;

/** Ask about files that were chosen or dropped. Names propose side and view; headers count. */
export function openFiles(list) {
  const files = [...list];
  if (files.length === 0) return;
  if (files.length > MAX_FILES) {
    store.change({ problem: PROBLEMS.tooMany });
    return;
  }
  askAbout(files.map(asEntry));
}

function asEntry(file) {
  const { side, view } = readFileName(file.name);
  const proposed = side !== null;
  const { name } = file;
  return { id: nextId++, file, name, side, view, proposed, status: "chosen", problem: null };
}

/** Ask about entries of files. An answer that is shown stays until the new one is there. */
export async function askAbout(entries) {
  const files = entries.map((entry) => ({ ...entry, status: "reading", problem: null }));
  const { question } = store.state;
  store.change({ pending: files, phase: "reading" });
  const result = await follow((options) => askExam(files, question, options));
  if (result) show(files, question, result);
  else if (store.state.pending === files) setAside(files);
}

/** Keep files whose request gave way to another one, so that they may be asked for again. */
function setAside(files) {
  const pending = files.map((entry) => ({ ...entry, status: "chosen" }));
  store.change({ pending, phase: restingPhase() });
}

/** End the request whose progress is shown. */
export function cancel() {
  control?.abort();
}

/** Forget files that were not answered. */
export function discard() {
  store.change({ pending: null, problem: null, phase: restingPhase() });
}

/**
 * Return {answer, images} of the files at hand for a question {method, layer}. Each question is
 * asked once per exam; a failed one may be asked again. The pixels are kept once.
 */
export function examFor(question, options) {
  const name = nameOf(question);
  if (!answers.has(name)) {
    const kept = answers;
    const promise = askExam(store.state.files, question, options).then(sharePixels);
    kept.set(name, promise);
    promise.catch(() => kept.delete(name));
  }
  return answers.get(name);
}

/**
 * Answer a change of the question. If that fails, the former question is put back. An answer to a
 * question that has been taken back is not shown.
 */
export async function answerQuestion() {
  const { question, answer, answered } = store.state;
  const name = nameOf(question);
  if (!answer || name === nameOf(answered) || name === asked) return;

  asked = name;
  const result = await follow((options) => examFor(question, options));
  if (asked === name) asked = null;
  if (nameOf(store.state.question) !== name) return;

  if (result) store.change({ ...result, answered: question, phase: "answered" });
  else store.change({ question: store.state.answered });
}

/** Show the progress of a request and its problem. Return its result, or null without one. */
async function follow(request) {
  control?.abort();
  const own = (control = new AbortController());
  const started = Date.now();
  const onState = (progress) => {
    if (own !== control) return;
    if (progress.phase !== store.state.progress?.phase) say(progressWords(progress));
    store.change({ progress: { ...progress, started } });
  };
  onState({ phase: "sending", share: 0 });
  store.change({ problem: null });
  try {
    const result = await request({ signal: own.signal, onState });
    return own === control ? result : null;
  } catch (error) {
    if (own === control) fail(error);
    return null;
  } finally {
    if (own === control) store.change({ progress: null });
  }
}

function fail(error) {
  const { pending } = store.state;
  const cancelled = error.name === "AbortError";
  if (!cancelled && !(error instanceof Failure)) throw error;

  const problem = cancelled ? null : error.problem;
  const refusals = problem?.refusals ?? [];
  const files = pending?.map((entry, index) => {
    const refusal = refusals[index] ?? null;
    return { ...entry, status: refusal ? "refused" : "chosen", problem: refusal };
  });
  store.change({ pending: files ?? null, problem, phase: restingPhase(problem) });
  say(cancelled ? "Cancelled." : `${problem.title}. ${problem.remedy ?? ""}`);
}

function restingPhase(problem = null) {
  if (store.state.answer) return "answered";
  return problem ? "failed" : "empty";
}

function show(entries, question, { answer, images }) {
  answers = new Map([[nameOf(question), Promise.resolve({ answer, images })]]);
  const files = entries.map((entry, index) => {
    const { status, problem = null } = answer.images[index];
    return { ...entry, status, problem };
  });
  const { strip } = hang(images);
  const placed = hungImages(images);
  const first = answer.images.findIndex((image) => image.prediction?.positive);
  const inOrder = [...placed, ...strip.map(({ index }) => index)];
  store.change({
    files,
    answer,
    images,
    question,
    answered: question,
    pending: null,
    phase: "answered",
    current: placed.includes(first) ? first : inOrder[0],
    layout: [1, 1, 2][placed.length] ?? 4,
    shown: new Set(),
    acknowledged: false,
    windows: images.map(() => null),
    viewports: images.map(() => null),
    crosshair: null,
    ruler: null,
    compare: null,
  });
  const refused = files.filter((file) => file.status === "refused").length;
  const word = decisionWord(answer.exam?.positive).word;
  say(`Answered: exam ${word}. ${inOrder.length} images, ${refused} files refused.`);
}

/** Let an answer about the same files use the samples that are there already. */
function sharePixels(result) {
  for (const image of result.images) {
    const there = image && store.state.images[image.index];
    if (there && there.samples.length === image.samples.length) image.samples = there.samples;
  }
  return result;
}

const nameOf = ({ method, layer }) => JSON.stringify([method, layer]);

import { askKey } from "./key_dialog.js";
import { store } from "./store.js";
import { unpack } from "./unpack.js";
import { PROBLEMS, remedyFor } from "./words.js";

/** Address of the service: the page may lie below a path of a proxy. */
export const ROOT = new URL("../../", import.meta.url);

const WAITED_FOR = new Set(["busy", "rate-limited"]);
const NEED_KEY = new Set(["unauthenticated", "forbidden"]);
const READY = "readyz"; // says whether the model is loaded
const UNAVAILABLE = 503; // status of a service that is not ready
const SECONDS = 5; // to wait where the service names no time

let asking = null; // the promise of a key

/** A request without an answer. `problem`: {title, detail, remedy, status, type, ...}. */
export class Failure extends Error {
  constructor(problem) {
    super(problem.title);
    this.problem = problem;
  }
}

/** Return a failure in words, or those of a request that was cancelled. Throw another error. */
export function failureWords(error) {
  if (error.name === "AbortError") return "Cancelled.";
  if (!(error instanceof Failure)) throw error;
  const { title, detail, remedy } = error.problem;
  return [`${title}.`, detail, remedy].filter(Boolean).join(" ");
}

/**
 * Ask for everything about an exam in one upload. `files`: [{file, name, side, view}], `question`:
 * {method, layer}. `onState` is told {phase, share, seconds, words}: phase is sending, computing,
 * receiving or waiting, share is 0..1 or null. `size`: the most pixels of a long edge. Return
 * {answer, images}; throw Failure, or an AbortError after `signal`.
 */
export async function askExam(files, question, { signal, onState, size = 4096 } = {}) {
  const body = new FormData();
  for (const { file, name, side, view } of files) {
    body.append(side && view ? `${side}-${view}` : "file", file, "file");
    await checkReadable(file, name);
  }
  const options = new URLSearchParams({ heat: "all", size, ...asked(question) });
  const response = await send("POST", `exam/pixels?${options}`, { body, signal, onState });
  return unpack(await response.formData(), files);
}

/**
 * Ask for the maps of a layer for one file. `scale`: filter for maps each at its own scale, layer
 * for one of all. Return the JSON.
 */
export async function askActivations(
  layer,
  { file, side, view },
  { signal, onState, scale = "filter" } = {},
) {
  const body = new FormData();
  body.append("file", file, "file");
  if (side) body.append("laterality", side);
  if (view) body.append("view", view);
  const path = `activations/${encodeURIComponent(layer)}?scale=${scale}`;
  return (await send("POST", path, { body, signal, onState })).json();
}

/** Return the JSON at a path below the service's address, such as "model/layers". */
export async function getJson(path, { signal, onState } = {}) {
  return (await send("GET", path, { signal, onState })).json();
}

function asked({ method, layer }) {
  return layer ? { method, layer } : { method };
}

/** Return the answer as a Response. Wait and ask again as long as the service asks for it. */
async function send(method, path, { body, signal, onState = () => {} }) {
  for (;;) {
    const { key } = store.state;
    const response = await exchange(method, path, { body, signal, onState });
    if (response.ok) return response;

    const problem = await readProblem(response);
    if (NEED_KEY.has(problem.type)) {
      onState({ phase: "waiting", share: null, words: "Waiting for a key" });
      if (!(await giveKey(key, problem))) throw new Failure(problem);
    } else if (problem.type === "not-ready") {
      await waitUntilReady(problem, { signal, onState });
    } else if (WAITED_FOR.has(problem.type)) {
      await waitFor(problem, { signal, onState });
    } else {
      throw new Failure(problem);
    }
  }
}

/** Return whether there is another key than the refused one. Several requests ask once. */
async function giveKey(refused, problem) {
  if (store.state.key !== refused) return true;

  asking ??= askKey(problem).finally(() => (asking = null));
  const key = await asking;
  if (key !== null) store.change({ key });
  return key !== null;
}

/** Return the problem of a response; its type without the prefix that all types share. */
async function readProblem(response) {
  const retryAfter = Number(response.headers.get("Retry-After")) || SECONDS;
  try {
    const problem = await response.json();
    const type = problem.type.split(":").at(-1);
    return { ...problem, type, remedy: remedyFor(problem), retryAfter };
  } catch {
    const status = response.status;
    return { ...PROBLEMS.unexpected, detail: `A proxy or the service answered ${status}.`, status };
  }
}

/** Ask each second whether the model is loaded, without sending the files. */
async function waitUntilReady(problem, { signal, onState }) {
  let status = problem.status;
  while (status === UNAVAILABLE) {
    await waitFor({ ...problem, retryAfter: 1 }, { signal, onState });
    ({ status } = await exchange("GET", READY, { signal, onState: () => {} }));
  }
}

async function waitFor({ type, retryAfter }, { signal, onState }) {
  for (let seconds = retryAfter; seconds > 0; seconds -= 1) {
    const words = PROBLEMS.waiting[type].replace("#", seconds);
    onState({ phase: "waiting", share: null, seconds, words });
    await pause(1000, signal);
  }
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", stop);
  });
}

/** Send one request. XMLHttpRequest alone tells how much of a body has been sent. */
function exchange(method, path, { body, signal, onState }) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const request = new XMLHttpRequest();
    let arrived = false;
    const tell = (phase) => (event) =>
      onState({ phase, share: event.lengthComputable ? event.loaded / event.total : null });

    request.open(method, new URL(path, ROOT));
    request.responseType = "blob";
    if (store.state.key) request.setRequestHeader("Authorization", `Bearer ${store.state.key}`);
    request.upload.onprogress = tell("sending");
    request.upload.onload = () => {
      arrived = true;
      onState({ phase: "computing", share: null });
    };
    request.onprogress = tell("receiving");
    request.onload = () => resolve(asResponse(request));
    request.onerror = () => reject(new Failure(arrived ? PROBLEMS.cut : PROBLEMS.network));
    const stop = () => {
      request.abort();
      reject(signal.reason);
    };
    signal?.addEventListener("abort", stop);
    // A signal that lives on must not keep the answer in memory.
    request.onloadend = () => signal?.removeEventListener("abort", stop);
    request.send(body);
  });
}

function asResponse(request) {
  const headers = new Headers();
  for (const name of ["Content-Type", "Retry-After"]) {
    const value = request.getResponseHeader(name);
    if (value !== null) headers.set(name, value);
  }
  return new Response(request.response, { status: request.status, headers });
}

async function checkReadable(file, name) {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch {
    throw new Failure({ ...PROBLEMS.unreadable, detail: `${name}: ${PROBLEMS.unreadable.detail}` });
  }
}

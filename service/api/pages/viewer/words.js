/** Names of methods in plain English. */
export const METHODS = {
  "grad-cam": "Grad-CAM",
  "grad-cam-plus-plus": "Grad-CAM++",
  "hires-cam": "HiResCAM",
  "layer-cam": "LayerCAM",
  "xgrad-cam": "XGrad-CAM",
  "eigen-cam": "Eigen-CAM",
  "integrated-gradients": "Integrated Gradients",
  "smooth-grad": "SmoothGrad",
  occlusion: "Occlusion",
};

const SIDES = { L: "left", R: "right" };

/** Return the word for a side: left, right or unknown side. */
export const sideWord = (side) => SIDES[side] ?? "unknown side";

/** Return a view in words, such as "left CC". */
export const viewName = (side, view) => `${sideWord(side)} ${view ?? "unknown view"}`;

/** Return what a request is doing. */
export function progressWords({ phase, share, words }) {
  if (words) return words;
  const done = share === null ? "" : ` ${Math.floor(100 * share)} %`;
  if (phase === "computing") return "Computing";
  return `${phase === "sending" ? "Sending" : "Receiving"}${done}`;
}

/** Why an image does not count for its breast. */
export const NOT_COUNTED = {
  view: "neither CC nor MLO, or nothing says its view",
  modifier: "a magnification, spot compression or other partial view",
  derivation: "of a contrast examination or biopsy, or computed beside an exposure that counts",
  "no-laterality": "nothing says which breast it shows",
  duplicate: "the same image is there twice",
  repeated: "a further image of this view; it counts as well",
};

/** Return a probability as people read it: "12.3 %", never 0 or 100 by rounding. */
export function percent(share) {
  if (share > 0 && share < 0.001) return "< 0.1 %";
  if (share < 1 && share > 0.999) return "> 99.9 %";
  return `${(100 * share).toFixed(1)} %`;
}

/**
 * Return word and shape of a decision: true positive, false negative, null not judged. The shape
 * says the same as the colour.
 */
export function decisionWord(positive) {
  if (positive === null || positive === undefined) {
    return { shape: "–", word: "not judged", name: "unjudged" };
  }
  return positive
    ? { shape: "▲", word: "positive", name: "positive" }
    : { shape: "○", word: "negative", name: "negative" };
}

/** Note on an image that is decided negative. */
export const NEGATIVE_NOTE = "decided negative: heat here is no finding";

const FEWER = "Choose fewer or smaller files.";
const AGAIN = "Try again later. If it goes on, tell the operator of the service.";

/** Remedies for a reader, by type of problem. Those of the service speak of its settings. */
const REMEDIES = {
  unauthenticated: "Enter a key.",
  forbidden: "Enter a key that may explain images.",
  "mixed-exam": "Remove the files of the other study or patient.",
  "no-image-answered": "Read why each file was refused, then choose others.",
  "exam-too-large": FEWER,
  "upload-too-large": FEWER,
  "objects-too-large": FEWER,
  "too-many-images": "Choose the images of one exam only.",
  "too-many-pixels": "Choose a smaller image.",
  "undecodable-image": "Export the image again from its archive.",
  "upload-too-slow": "Use a faster connection, or choose fewer files.",
  "deadline-passed":
    "Ask for fewer images or another method, or try again when the service is less busy.",
  "too-costly": "Ask for fewer images or another method, such as Grad-CAM.",
  "unknown-layer": "Reload the page: the service may have another model now.",
  draining: AGAIN,
  "audit-unavailable": AGAIN,
};

/** Return what a reader can do about a problem: in the page's words, or in those of the service. */
export const remedyFor = ({ type, remedy }) => REMEDIES[type?.split(":").at(-1)] ?? remedy;

/** Return a problem of a file as one text. */
export const problemText = (problem) =>
  `${problem.title}. ${problem.detail} ${remedyFor(problem)}`;

/** Why an image shows no heat, if that is not plain to see. */
export const HIDDEN = {
  covered: "heat covered",
  blank: "blank map",
};

/** Problems that the page itself notices, as the service words its own. #: seconds. */
export const PROBLEMS = {
  waiting: {
    busy: "The service is busy with other requests. This page asks again by itself in # s.",
    "rate-limited": "Too many requests from this caller. This page asks again by itself in # s.",
    "not-ready": "The service is still loading its model. This page asks again by itself in # s.",
  },
  tooMany: {
    title: "More than eight files",
    detail: "An exam has at most eight images. Nothing was sent.",
    remedy: "Choose the files of one exam, at most eight.",
  },
  network: {
    title: "The service cannot be reached",
    detail: "No answer came from the network.",
    remedy: "Check the connection to the service, then try again.",
  },
  cut: {
    title: "The connection was cut",
    detail: "The service was reached, but the connection ended before the answer was complete.",
    remedy:
      "Try again. If it happens each time, the files may be too large for a proxy in between.",
  },
  unreadable: {
    title: "A file cannot be read any more",
    detail: "It was moved, changed or closed to this browser after it was chosen.",
    remedy: "Choose the file again.",
  },
  unexpected: {
    title: "The answer cannot be read",
    detail: "It has not the form that this page knows.",
    remedy: "Reload the page: the service may have been updated.",
  },
};

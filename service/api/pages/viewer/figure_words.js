/** Names of the figures, and what each says and does not say. */
export const FIGURES = {
  domain_distance: [
    "Distance from known images",
    "In the model's own features. Far away, no measured figure covers the image.",
  ],
  heat_in_breast: ["Heat in the breast", "Share of the heat in cells centred in the breast."],
  breast_share: ["Size of the breast", "Share of the cells in the breast. Not about the model."],
  lift: [
    "Preference for the breast",
    "Heat in the breast beside the breast's share of the image: 1 is no preference.",
  ],
  peak_in_breast: [
    "Hottest cell in the breast",
    "1 if it is centred in the breast, else 0. It does not say whether the spot is right.",
  ],
  area_above_half: ["Area above half of the peak", "Share of cells. A small area may be noise."],
  entropy: [
    "Spread of the heat",
    "1 is even heat, which points nowhere. Little spread may still be on the wrong spot.",
  ],
  gini: ["Inequality of the heat", "0 is even heat: the spread, seen from the other end."],
  border_lift: ["Heat along the frame", "Beside even heat; the chest wall is left out."],
  corner_lift: ["Heat in a corner", "Heat in the hottest corner, beside even heat."],
  agreement: [
    "Agreement of two methods",
    "Correlation of Grad-CAM and HiResCAM at this layer. Both can agree on nonsense.",
  ],
  dark_share: ["Dark filters", "Share of the layer's filters that are zero on this image."],
  duplicate_share: ["Repeated filters", "Share of other filters whose map repeats another."],
  effective_rank: ["Independent maps", "How many different maps the layer has in effect."],
  stability: ["Stability under noise", "Correlation with maps of copies with 1 % noise."],
  insertion_gap: [
    "Evidence in the hottest pixels",
    "Margin gained by putting them into a blurred image, beyond random maps.",
  ],
  deletion_gap: ["Loss without the hottest pixels", "Margin lost by blurring them."],
  completeness: ["Error of the sum", "Relative error of the sum of integrated gradients."],
};

/** Why a map has no heat, by its state. */
const BLANK = {
  dead_layer: "every filter of the layer is zero on this image",
  zero_gradient: "the score does not depend on this layer (saturated or dead units follow)",
  all_negative: "no part of the image is evidence for cancer at this layer",
  not_finite: "the network produced values that are not finite",
};

/** Return why a map has no heat. A state of a newer service is given as it is. */
export const blankWords = (state) => BLANK[state] ?? state;

/** Return a value with three significant digits. */
export const digits = (value) => String(Number(value.toPrecision(3)));

/** Return words for a list: "a", "a and b", "a, b and c". */
export const joined = (words) => words.join(", ").replace(/, ([^,]*)$/, " and $1");

/** Return a number with its noun: "1 view", "3 views". */
export const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

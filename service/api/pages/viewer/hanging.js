/** The four standard views as they hang: the right breast at the left, CC above MLO. */
export const PLACES = ["R CC", "L CC", "R MLO", "L MLO"];

/**
 * Return {places, strip}. `places`: for each standard view the index of its image, or null.
 * `strip`: [{index, reason}] of all other images that were answered. `reason` is a code of
 * `not_counted`, or `repeated` for a further image of a view.
 */
export function hang(images) {
  const places = Object.fromEntries(PLACES.map((place) => [place, null]));
  const strip = [];
  for (const image of images) {
    if (!image) continue;

    const { counted, not_counted: reason } = image.answered;
    if (counted && places[image.label] === null) places[image.label] = image.index;
    else strip.push({ index: image.index, reason: reason ?? "repeated" });
  }
  return { places, strip };
}

/** Return the indices of the images that hang, in their order. */
export function hungImages(images) {
  const { places } = hang(images);
  return PLACES.map((place) => places[place]).filter((index) => index !== null);
}

/**
 * Return whether an image has to be mirrored, so that the chest walls of both breasts meet in the
 * middle. Only the header tells: without it, a mirrored image cannot be told from one whose side
 * is named wrongly.
 */
export function isMirrored({ patient_orientation: orientation, laterality }) {
  if (!orientation || !laterality) return false;
  return orientation[0].startsWith(laterality === "R" ? "A" : "P");
}

/** Return the places that a layout of 4, 2 or 1 shows, with the index at each. */
export function arrange({ images, layout, current, pairing }) {
  const { places, strip } = hang(images);
  const at = (place) => ({ place, index: places[place] });
  const here = PLACES.find((place) => places[place] === current);
  if (layout === 1 || !here) return [{ place: null, index: current ?? strip[0]?.index ?? null }];
  if (layout === 4) return PLACES.map(at);

  const [side, view] = here.split(" ");
  const part = pairing === "view" ? ` ${view}` : `${side} `;
  return PLACES.filter((place) => place.includes(part)).map(at);
}

import { isMirrored } from "./hanging.js";

/**
 * Return {answer, images} of the answer of /exam/pixels. `images` is parallel to the files, null
 * where a file was refused. `files`: what was sent, for the names. Labels are in saved pictures, so
 * none is the name of a file, which may be a person's.
 */
export async function unpack(form, files) {
  const answer = JSON.parse(await textOf(form.get("answer")));
  const images = await Promise.all(
    answer.images.map((image, index) => unpackImage(form, answer, index, files[index].name)),
  );
  return { answer, images };
}

async function unpackImage(form, answer, index, name) {
  const answered = answer.images[index];
  if (answered.status !== "answered") return null;

  const { laterality, view } = answered.image;
  const pixels = answer.pixels[index];
  const [samples, heatSamples] = await Promise.all(
    ["pixels", "heat"].map((kind) => readSamples(form.get(`${kind}-${index}`))),
  );
  const isKnown = laterality || view;
  const label = isKnown ? `${laterality ?? "?"} ${view ?? "?"}` : `Image ${index + 1}`;
  const mirrored = isMirrored(answered.image);
  return { index, name, label, mirrored, answered, pixels, samples, heatSamples };
}

/** Return the samples of a part: uint16, little endian as on every machine that runs a browser. */
async function readSamples(part) {
  if (!part) return null;

  const stream = part.stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint16Array(await new Response(stream).arrayBuffer());
}

const textOf = (part) => (typeof part === "string" ? part : part.text());

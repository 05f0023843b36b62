// Calls a running server through openapi-fetch with the types of openapi-typescript, ten times.
import { readFileSync } from "node:fs";
import createClient from "openapi-fetch";
import type { paths } from "./lens";

const [address, key, path] = process.argv.slice(2) as [string, string, string];
const headers = { Authorization: `Bearer ${key}` };
const client = createClient<paths>({ baseUrl: address, headers });
const data = readFileSync(path);

const upload = {
  body: { file: "" }, // the type of a binary part is string
  bodySerializer: (): FormData => {
    const form = new FormData();
    form.append("file", new Blob([data]), "image.dcm");
    return form;
  },
};

function isPng(picture: Blob | undefined, type: string | null): boolean {
  return picture !== undefined && picture.size > 100 && type === "image/png";
}

async function main(): Promise<void> {
  const layer = (name: string) => ({ path: { layer: name } });

  for (let round = 0; round < 10; round++) {
    const predicted = await client.POST("/predict", upload);
    const heatmap = await client.POST("/gradcam.png", {
      ...upload,
      params: { query: { size: "200" } },
      parseAs: "blob",
    });
    const montage = await client.POST("/activations/{layer}.png", {
      ...upload,
      params: layer("conv2d"),
      parseAs: "blob",
    });
    const refused = await client.POST("/activations/{layer}", { ...upload, params: layer("none") });
    if (predicted.data === undefined || refused.error === undefined) throw new Error("no answer");

    const spacing: number[] = predicted.data.image.pixel_spacing_mm ?? [];
    const sum = spacing.reduce((total, millimetres) => total + millimetres, 0).toFixed(4);
    const pictures = [heatmap, montage].map(({ data, response }) =>
      isPng(data, response.headers.get("content-type")),
    );
    const { label } = predicted.data.prediction;
    console.log(`${label} ${sum} ${pictures.join(" ")} ${refused.error.type}`);
  }
}

void main();

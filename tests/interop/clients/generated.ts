// Calls a running server with the client of openapi-generator (typescript-fetch), ten times.
import { readFileSync } from "node:fs";
import { Configuration, MammogramsApi, ProblemFromJSON, ResponseError } from "./lens";

const [address, accessToken, path] = process.argv.slice(2) as [string, string, string];
const api = new MammogramsApi(new Configuration({ basePath: address, accessToken }));
const file = new File([readFileSync(path)], "image.dcm");

async function isPng(picture: Blob): Promise<boolean> {
  const data = new Uint8Array(await picture.arrayBuffer());
  return data[0] === 0x89 && data[1] === 0x50;
}

async function refusal(): Promise<string> {
  try {
    await api.showActivations({ layer: "none", file });
  } catch (error) {
    if (error instanceof ResponseError) return ProblemFromJSON(await error.response.json()).type;
  }
  throw new Error("the layer is not refused");
}

async function main(): Promise<void> {
  for (let round = 0; round < 10; round++) {
    const predicted = await api.predict({ file });
    const heatmap = await api.explainPicture({ file, size: "200" });
    const montage = await api.drawActivations({ layer: "conv2d", file });

    const spacing: number[] = predicted.image.pixelSpacingMm ?? [];
    const sum = spacing.reduce((total, millimetres) => total + millimetres, 0).toFixed(4);
    const pictures = `${await isPng(heatmap)} ${await isPng(montage)}`;
    console.log(`${predicted.prediction.label} ${sum} ${pictures} ${await refusal()}`);
  }
}

void main();

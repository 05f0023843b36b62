import { askExam, Failure, ROOT } from "./api.js";
import { PROBLEMS, progressWords } from "./words.js";

const NAMES = ["R-CC", "L-CC", "R-MLO", "L-MLO"];
const SIZE = 512;
const answers = new Map(); // promises by method and layer

/** Return the files of the sample exam, as the API takes them, in the order in which they hang. */
export async function sampleFiles() {
  return Promise.all(NAMES.map(loadFile));
}

/**
 * Return {answer, images} of the sample exam for a question {method, layer}, small. Each question
 * is asked once.
 */
export function askSample({ method, layer }, tell) {
  const name = JSON.stringify([method, layer]);
  if (!answers.has(name)) {
    const onState = (state) => tell(`The sample exam: ${progressWords(state)}`);
    const asked = sampleFiles().then((files) =>
      askExam(files, { method, layer }, { onState, size: SIZE }),
    );
    asked.catch(() => answers.delete(name));
    answers.set(name, asked);
  }
  return answers.get(name);
}

async function loadFile(name) {
  const response = await fetch(new URL(`viewer/sample/${name}.dcm`, ROOT)).catch(() => {
    throw new Failure(PROBLEMS.network);
  });
  if (!response.ok) throw new Failure({ ...PROBLEMS.unexpected, status: response.status });
  const [side, view] = name.split("-");
  return { file: await response.blob(), name: `${name}.dcm`, side, view };
}

// onnxruntime, where the site was built with it: loaded on a click, it runs this network, or the
// reader's own exported file, on one core in WebAssembly.

import { html, nothing } from "../vendor/lit-html.js";
import { address, json, load } from "../files.js";
import { word } from "../words.js";
import { onnxFile } from "./onnx.js";
import { fitted } from "./picture.js";
import { number } from "./sum.js";

const TIMES = 5; // runs of which the fastest is told

/** Whether the site holds the engine. */
export const isThere = async () => Boolean((await json("data/live/engine.json")).version);

/** onnxruntime, from beside the page. */
export async function runtime() {
  const ort = await load("../ort/ort.wasm.min.mjs");
  ort.env.wasm.wasmPaths = new URL(address("ort/"), document.baseURI).href;
  ort.env.wasm.numThreads = 1; // more need headers that not every host sends
  return ort;
}

/** A program's stages as onnxruntime computes them: [[value, Float32Array], ...]. */
export async function stagesOf(ort, program, weights, input) {
  const wanted = [...new Set([...program.stages.map(([, value]) => value), program.ops.length])];
  const session = await ort.InferenceSession.create(onnxFile(program, weights, wanted));
  const fed = { v0: new ort.Tensor("float32", input, [1, ...program.input]) };
  let ms = Infinity, found;
  for (let turn = 0; turn < TIMES; turn++) {
    const begin = performance.now();
    found = await session.run(fed);
    ms = Math.min(ms, performance.now() - begin);
  }
  await session.release();
  return { ms, stages: wanted.map((value) => [value, found[`v${value}`].data]) };
}

/** The largest difference from the page's own values, as a share of each stage's largest. */
export function difference(stages, values) {
  let worst = 0;
  for (const [value, data] of stages) {
    let largest = 0, apart = 0;
    values[value].data.forEach((one, place) => {
      largest = Math.max(largest, Math.abs(one));
      apart = Math.max(apart, Math.abs(one - data[place]));
    });
    worst = Math.max(worst, apart / (largest || 1));
  }
  return worst;
}

export function panel(page) {
  if (!page.hasEngine) return nothing;
  return html`<section class=engine><h3>${word("live.engine")}</h3>
    <p><button @click=${() => guarded(page, () => compare(page))}>${word("live.engine.run")}</button></p>
    <p><label>${word("live.engine.own")} <input type=file accept=".onnx" @change=${(event) =>
      guarded(page, () => own(page, event.target.files[0]))}></label></p>
    <p aria-live=polite>${page.engineSays ?? nothing}</p></section>`;
}

async function guarded(page, act) {
  try {
    page.engineSays = await act();
  } catch (error) {
    page.engineSays = word("live.engine.failed", { why: String(error.message ?? error).split("\n")[0] });
  }
  page.show();
}

async function compare(page) {
  const begin = performance.now();
  const ort = await runtime();
  const loaded = performance.now() - begin;
  const { program, weights, values } = page;
  const { ms, stages } = await stagesOf(ort, program, weights, values[0].data);
  return word("live.engine.took", {
    ms: ms.toFixed(1), load: (loaded / 1000).toFixed(2), error: number(difference(stages, values)),
  });
}

/** The reader's own file: one of ours reads the picture as it is, any other a float picture. */
async function own(page, file) {
  const ort = await runtime();
  const session = await ort.InferenceSession.create(new Uint8Array(await file.arrayBuffer()));
  const [about] = session.inputMetadata;
  const begin = performance.now();
  const answers = await session.run({ [about.name]: fed(ort, about, page.original) });
  const ms = (performance.now() - begin).toFixed(1);
  const says = session.outputNames.map((name) => {
    const { dims, data } = answers[name];
    const place = data.indexOf(data.reduce((most, one) => (one > most ? one : most)));
    const told = { name, shape: dims.join("x"), ms, place, value: number(Number(data[place])) };
    return word("live.engine.out", told);
  });
  await session.release();
  return says.map((one) => html`${one}<br>`);
}

function fed(ort, { type, shape }, picture) {
  if (type === "uint8") return asBytes(ort, picture);
  const [channels, side] = [shape[1], shape[2]].map(Number);
  if (!(channels && side)) throw new Error(`input ${shape}`);
  const { data } = fitted(picture, { fit: "resize", channels, side, content: side });
  const shares = Float32Array.from(data, (value) => value / 255);
  return new ort.Tensor("float32", shares, [1, channels, side, side]);
}

/** (1, height, width, 3), as the atlas's own exports read pictures. */
function asBytes(ort, { height, width, channels, data }) {
  const area = height * width;
  const bytes = Uint8Array.from({ length: 3 * area }, (_, place) =>
    data[(channels === 3 ? place % 3 : 0) * area + Math.floor(place / 3)]);
  return new ort.Tensor("uint8", bytes, [1, height, width, 3]);
}

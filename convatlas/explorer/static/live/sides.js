// What goes in and what comes out: the pad, the examples, the picture that is read; the classes,
// the distances to LeNet-5's characters, the class activation map.

import { html, nothing } from "../vendor/lit-html.js";
import { word } from "../words.js";
import { activationMap, scores, shares } from "./interpreter.js";
import { colour, strongest } from "./mosaic.js";
import { number } from "./sum.js";

const CHARACTER = { rows: 12, columns: 7 }; // LeNet-5's, drawn by F6's 84 units
const LISTED = 20; // classes; of more the likeliest

export function inputView(page, side) {
  const take = async (files) => files[0] && page.read(await files[0].arrayBuffer());
  const drop = (event) => {
    event.preventDefault();
    take(event.dataTransfer.files);
  };
  return html`<section class=input aria-label=${word("live.input")} @drop=${drop}
      @dragover=${(event) => event.preventDefault()}>
    ${page.written ? html`<canvas class=pad width=${side} height=${side} role=img
        aria-label=${word("live.pad")}></canvas>
      <p><button @click=${() => page.pad.clear()}>${word("live.clear")}</button></p>` : nothing}
    ${page.hasExamples ? html`<div class=examples role=group aria-label=${word("live.examples")}>
      ${page.about.classes.map((name, place) => html`<button @click=${() => page.choose(place)}
        aria-label=${word("live.example", { name })}>${name}</button>`)}</div>` : nothing}
    <p><label>${word("live.file")}
      <input type=file accept="image/*" @change=${(event) => take(event.target.files)}></label></p>
    ${page.problem ? html`<p role=alert>${page.problem}</p>` : nothing}
    ${page.picture ? html`<figure><canvas class=read role=img
        aria-label=${word("live.input")}></canvas><figcaption>${word("live.read",
        { side: page.about.preprocess.side })}</figcaption></figure>` : nothing}
  </section>`;
}

export function classesView(page) {
  const logits = scores(page.values);
  const parts = shares(logits);
  const order = parts.map((_, one) => one).sort((one, other) => parts[other] - parts[one]);
  const [best] = order;
  const { classes } = page.about;
  const listed = classes.length > LISTED ? order.slice(0, LISTED) : classes.map((_, one) => one);
  return html`<section class=answer aria-label=${word("live.answer")}>
    <p class=says aria-live=polite>${word("live.says", {
      name: classes[best], share: (100 * parts[best]).toFixed(0) })}</p>
    <p class=hint>${word("live.took", { ms: (1000 * page.seconds).toFixed(1) })}</p>
    <table><thead><tr><th scope=col>${word("live.class")}<th scope=col>${word("live.share")}
      <th scope=col>${word(page.characters ? "live.distance" : "live.score")}</thead>
    <tbody>${listed.map((one) => classRow(page, classes[one], one, parts[one], logits[one], best))}
    </tbody></table>
    ${listed.length < classes.length ? html`<p class=hint>${word("live.likeliest", {
      n: listed.length, all: classes.length })}</p>` : nothing}
    ${page.program.cam ? mapView(page, page.one ?? best) : nothing}
  </section>`;
}

function classRow(page, name, one, share, logit, best) {
  const score = page.characters ? -logit : logit;
  return html`<tr class=${one === best ? "best" : ""}><th scope=row>${page.program.cam
      ? html`<button aria-pressed=${one === (page.one ?? best)} @click=${() => {
          page.one = one;
          page.show();
        }}>${name}</button>` : name}
    <td style="--share:${(100 * share).toFixed(1)}%">${(100 * share).toFixed(1)} %
    <td>${number(score)}${page.characters
      ? html` <canvas class=character data-class=${one} width=${CHARACTER.columns}
          height=${CHARACTER.rows} role=img aria-label=${word("live.character", { name })}></canvas>`
      : nothing}`;
}

/** The class activation map, which here is an identity: its mean, plus the bias, is the score. */
function mapView(page, one) {
  const map = activationMap(page.program, page.weights, page.values, one);
  const mean = map.data.reduce((sum, value) => sum + value, 0) / map.data.length;
  const name = page.about.classes[one];
  return html`<figure class=cam><canvas class=cam data-class=${one} role=img
      aria-label=${word("live.cam", { name })}></canvas>
    <figcaption>${word("live.cam", { name })}: ${word("live.identity", {
      mean: number(mean), bias: number(map.bias), score: number(mean + map.bias) })}</figcaption>
  </figure>`;
}

/** Fills the canvases of what goes in and out; they are in the document by now. */
export function paintSides(page) {
  const all = (name) => page.root.querySelectorAll(`canvas.${name}`);
  for (const canvas of all("read")) pixels(canvas, page.picture);
  for (const canvas of all("cam")) activation(canvas, page, Number(canvas.dataset.class));
  for (const canvas of all("character")) character(canvas, page, Number(canvas.dataset.class));
}

function pixels(canvas, { height, width, channels, data }) {
  [canvas.width, canvas.height] = [width, height];
  const area = height * width;
  filled(canvas, (place) => [0, 1, 2].map((one) => data[(channels === 3 ? one : 0) * area + place]));
}

function filled(canvas, shade) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  for (let place = 0; place < canvas.width * canvas.height; place++)
    image.data.set([...shade(place).slice(0, 3), 255], 4 * place);
  context.putImageData(image, 0, 0);
}

/** The map over the picture in grey: orange speaks for the class, blue against it. */
function activation(canvas, page, one) {
  const { picture } = page;
  const map = activationMap(page.program, page.weights, page.values, one);
  const largest = strongest(map.data);
  [canvas.width, canvas.height] = [picture.width, picture.height];
  const area = picture.width * picture.height;
  filled(canvas, (place) => {
    const y = Math.floor(place / picture.width);
    const x = place % picture.width;
    const value = between(map, (y + 0.5) / picture.height, (x + 0.5) / picture.width) / largest;
    let grey = 0;
    for (let channel = 0; channel < picture.channels; channel++)
      grey += picture.data[channel * area + place] / picture.channels;
    const ink = colour(value);
    const part = 0.75 * Math.min(Math.abs(value), 1);
    return ink.map((shade) => (1 - part) * grey + part * shade);
  });
}

/** The map's value at a place given in shares of its sides, between its own values. */
function between({ height, width, data }, down, right) {
  const y = Math.min(Math.max(down * height - 0.5, 0), height - 1);
  const x = Math.min(Math.max(right * width - 0.5, 0), width - 1);
  const [top, left] = [Math.floor(y), Math.floor(x)];
  const at = (row, column) =>
    data[Math.min(row, height - 1) * width + Math.min(column, width - 1)];
  const line = (row) => at(row, left) * (1 - x + left) + at(row, left + 1) * (x - left);
  return line(top) * (1 - y + top) + line(top + 1) * (y - top);
}

/** What F6 draws where it should draw the class's character: ink as drawn, orange where they
 * differ. */
function character(canvas, page, one) {
  const op = page.characters;
  const code = page.weights[op.codes].data;
  const drawn = page.values[op.reads[0]].data;
  filled(canvas, (place) => {
    const wanted = code[one * drawn.length + place];
    const off = Math.min(Math.abs(drawn[place] - wanted) / 2, 1);
    const grey = wanted > 0 ? 20 : 235;
    return [grey + (214 - grey) * off, grey + (90 - grey) * off, grey - grey * off];
  });
}

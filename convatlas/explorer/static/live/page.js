// A trained network in the page: draw or drop a picture, see every map, take any value apart.

import { html, nothing, render } from "../vendor/lit-html.js";
import { bytes, json } from "../files.js";
import { word } from "../words.js";
import { clothing } from "./clothes.js";
import { STROKES, asInDigits, asInMnist, drawn, isDarkOnLight } from "./digit.js";
import * as engine from "./engine.js";
import { hand } from "./hand.js";
import { run } from "./interpreter.js";
import { layout, moved, paint, placeAt, spot } from "./mosaic.js";
import { drawingPad } from "./pad.js";
import { cut, fitted, normalised, planes } from "./picture.js";
import { tensors } from "./safetensors.js";
import { classesView, inputView, paintSides } from "./sides.js";
import { told } from "./sum.js";
import { cameAbout } from "./value.js";

const SIDE = 280; // of the drawing pad, and of what is drawn for the reader
const WRITTEN = { // a set of digits -> how a drawing is prepared, and the pen as theirs were thick
  digits: { asInSet: asInDigits, pen: 1 / 7 },
  mnist: { asInSet: asInMnist, pen: 1 / 11 },
};
const DRAWINGS = { // a set -> what draws an example of a class, given its place
  digits: (context, place, side) => drawn(context, STROKES[place], side, WRITTEN.digits.pen),
  mnist: (context, place, side) => drawn(context, STROKES[place], side, WRITTEN.mnist.pen),
  "fashion-mnist": clothing,
  "sign-digits": hand,
};

/** Brings the page of one network to life. */
export async function mount(main) {
  const root = main.querySelector("#live");
  const name = root.dataset.network;
  const [kept, file] = await Promise.all([
    json(`data/live/${name}.json`),
    bytes(`data/live/${name}.safetensors`),
  ]);
  root.replaceChildren(); // what stands there for those without JavaScript
  const page = new Live(root, kept, tensors(file));
  document.addEventListener("language", () => page.show());
  page.hasEngine = await engine.isThere();
  page.show();
  page.choose(3);
}

/** What is shown, and what leads to it. */
class Live {
  constructor(root, { about, program }, weights) {
    Object.assign(this, { root, about, program, weights });
    this.written = WRITTEN[about.data] ?? null;
    this.hasExamples = about.data in DRAWINGS;
    this.characters = program.ops.find((op) => op.op === "rbf") ?? null;
    this.shown = new Map(program.stages.map(([stage, value]) => [stage, value]));
    this.chosen = null; // {value, place}
    this.one = null; // the class whose activation map is shown; null: the likeliest
  }

  /** An example of a class, drawn here: on the pad, where there is one. */
  choose(place) {
    const draw = DRAWINGS[this.about.data];
    if (!draw) return; // another set: the reader drops a picture
    if (this.written) {
      this.ready();
      draw(this.pad.context, place, SIDE);
      return this.readPad();
    }
    const context = field(SIDE, SIDE);
    draw(context, place, SIDE);
    this.use(planes(context.getImageData(0, 0, SIDE, SIDE)));
  }

  /** A file's bytes, decoded by the browser. */
  async read(buffer) {
    const picture = await createImageBitmap(new Blob([buffer])).catch(() => null);
    this.problem = picture ? "" : word("live.nopicture");
    if (!picture) return this.show();
    const context = field(picture.width, picture.height);
    context.drawImage(picture, 0, 0);
    this.use(planes(context.getImageData(0, 0, picture.width, picture.height)));
  }

  readPad() {
    const drawing = planes(this.pad.context.getImageData(0, 0, SIDE, SIDE));
    const digit = this.written.asInSet(cut({ ...drawing, channels: 1 }, 0, 0, SIDE, SIDE));
    this.original = digit;
    if (digit) this.answer(fitted(digit, this.about.preprocess));
  }

  use(picture) {
    this.original = picture;
    const prep = this.about.preprocess;
    if (this.written) return this.useDigit(picture);
    const read = fitted(picture, prep);
    if (prep.channels === 1 && isDarkOnLight(read))
      read.data = read.data.map((value) => 255 - value);
    this.answer(read);
  }

  /** A photograph of a digit: its ink made light, then as the set has it. */
  useDigit(picture) {
    const prep = this.about.preprocess;
    const side = 112;
    const grey = fitted(picture, { ...prep, fit: "resize", side, content: side });
    if (isDarkOnLight(grey)) grey.data = grey.data.map((value) => 255 - value);
    const digit = this.written.asInSet(grey);
    if (digit) this.answer(fitted(digit, prep));
  }

  /** Runs the network on what it reads, and shows all. */
  answer(picture) {
    this.picture = picture;
    const begin = performance.now();
    this.values = run(this.program, this.weights, normalised(picture, this.about.preprocess));
    this.seconds = (performance.now() - begin) / 1000;
    this.show();
  }

  ready() {
    const canvas = this.root.querySelector(".pad");
    if (!this.pad && canvas) this.pad = drawingPad(canvas, this.written.pen, () => this.later());
  }

  /** While one draws, not more often than the screen is painted. */
  later() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.readPad();
    });
  }

  show() {
    render(view(this), this.root);
    this.ready();
    if (this.values) this.paint();
  }

  /** Fills the canvases, which are in the document by now. */
  paint() {
    paintSides(this);
    for (const box of this.root.querySelectorAll(".mosaic")) {
      const value = Number(box.dataset.value);
      const { shape, data } = this.values[value];
      box.grid = layout(shape, box.parentElement.clientWidth - 4);
      paint(box.querySelector("canvas"), data, box.grid);
      const here = this.chosen?.value === value ? spot(box.grid, this.chosen.place) : null;
      const mark = box.querySelector(".mark");
      mark.hidden = !here;
      if (here) mark.style.cssText =
        `left:${here.left}px;top:${here.top}px;width:${here.side}px;height:${here.side}px`;
    }
  }

  /** A value is looked at: its sum is shown. */
  look(value, place) {
    if (place < 0 || (this.chosen?.value === value && this.chosen.place === place)) return;
    this.chosen = { value, place };
    this.show();
  }
}

/** A canvas of its own, in no document. */
function field(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height })
    .getContext("2d", { willReadFrequently: true });
}

function view(page) {
  return html`<div class=live>
    <div class=side>${inputView(page, SIDE)}${page.values ? classesView(page) : nothing}</div>
    <div class=stages>
      ${page.values
        ? html`${valueView(page)}${page.program.stages.map(([stage], i) => stageView(page, stage, i))}
          ${engine.panel(page)}`
        : html`<p class=hint>${word("live.begin")}</p>`}
    </div></div>`;
}

function valueView(page) {
  const steps = page.chosen ? cameAbout(page.program, page.weights, page.values,
    page.chosen.value, page.chosen.place) : [];
  return html`<section class=sum tabindex=0 aria-live=polite aria-label=${word("live.sum")}>
    ${told(steps, page.program)}</section>`;
}

/** The operations of a stage, of which one is shown; the last at first. */
function stageView(page, stage, turn) {
  const { program } = page;
  const before = turn ? program.stages[turn - 1][1] : 0;
  const last = turn + 1 === program.stages.length;
  const end = last ? program.ops.length : program.stages[turn][1];
  const value = page.shown.get(stage);
  const { shape } = page.values[value];
  const [maps, height = 1, width = 1] = shape;
  const size = { maps, height, width };
  return html`<section class=stage>
    <h3><a href="../networks/${program.network}.html#${stage}">${stage}</a>
      <small>${word("live.maps", size)}</small>
      <label>${word("live.operation")} <select @change=${(event) => {
        page.shown.set(stage, Number(event.target.value));
        page.show();
      }}>${program.ops.slice(before, end).map((op, place) => option(op, before + place + 1, value))}
      </select></label></h3>
    <div class=scroll>${mosaicView(page, value, `${stage}: ${word("live.maps", size)}`)}</div>
  </section>`;
}

function option(op, value, shown) {
  return html`<option value=${value} ?selected=${value === shown}>
    ${op.name} ${word(`live.op.${op.op}`)}</option>`;
}

function mosaicView(page, value, label) {
  const under = (event) => {
    const { grid } = event.currentTarget;
    const box = event.currentTarget.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    page.look(value, placeAt(grid, x / grid.zoom, y / grid.zoom));
  };
  const key = (event) => {
    if (!/^(Arrow|Page)/.test(event.key) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const from = page.chosen?.value === value ? page.chosen.place : 0;
    page.look(value, page.chosen?.value === value ? moved(event.currentTarget.grid, from, event.key) : 0);
  };
  return html`<div class=mosaic data-value=${value} tabindex=0 role=application
    aria-label="${label}. ${word("live.keys")}" @pointermove=${under} @pointerdown=${under}
    @keydown=${key}><canvas></canvas><span class=mark hidden></span></div>`;
}

// What one unit of a map sees of a picture: a square on the reader's own photograph, which stays on
// the reader's machine.

import { html, render } from "../vendor/lit-html.js";
import { word } from "../words.js";
import { sizes, windowOf } from "./sizes.js";

const SIDE = 448; // of the canvas, in its own pixels

/** The panel: {element, speak}. It follows the unit that the page shows (the event "unit"). */
export function fieldOn(main, table) {
  const element = document.createElement("details");
  element.className = "field";
  const steps = JSON.parse(table.dataset.steps);
  const state = {
    steps, size: Number(table.dataset.size), picture: undefined, row: undefined, at: [0.5, 0.5],
  };
  const update = (change = {}) => {
    Object.assign(state, change);
    render(view(state, update), element);
    paint(element.querySelector("canvas"), state);
  };
  const rows = new Map([...table.tBodies[0].rows].map((row) => [row.id, row]));
  const first = [...rows.values()].findLast((row) => Number(row.dataset.n) > 0);
  main.addEventListener("unit", (event) => {
    const row = rows.get(event.detail);
    if (row && Number(row.dataset.n) >= 0) update({ row });
  });
  element.addEventListener("toggle", () => update());
  update({ row: first });
  return { element, speak: () => update() };
}

function view(state, update) {
  return html`<summary>${word("field.title")}</summary>
    <div class="seen">
      <canvas width=${SIDE} height=${SIDE} tabindex="0" role="img" aria-label=${told(state)}
        @pointermove=${(event) => update({ at: placeOf(event) })}
        @keydown=${(event) => steer(event, state, update)}
        @dragover=${(event) => event.preventDefault()}
        @drop=${(event) => (event.preventDefault(), take(event.dataTransfer.files[0], update))}></canvas>
      <div>
        <p aria-live="polite">${told(state)}</p>
        <label>${word("field.file")}
          <input type="file" accept="image/*" @change=${(event) => take(event.target.files[0], update)} />
        </label>
        ${state.refused ? html`<p class="odd">${word("field.refused")}</p>` : ""}
        <p><small>${word("field.private")}</small></p>
      </div>
    </div>`;
}

function told({ row, size }) {
  if (!row) return word("field.none");
  const side = Number(row.cells[5].textContent);
  const share = Math.min(1, side / size) ** 2 * 100;
  return word("field.told", { unit: row.id, side, size, share: share < 10 ? share.toFixed(1) : Math.round(share) });
}

async function take(file, update) {
  if (!file) return;
  try {
    update({ picture: await createImageBitmap(file), refused: false });
  } catch {
    update({ refused: true });
  }
}

function placeOf(event) {
  const box = event.target.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
}

function steer(event, state, update) {
  const [x, y] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [];
  if (x === undefined) return;
  event.preventDefault();
  const many = mapOf(state);
  update({ at: [within(state.at[0] + x / many), within(state.at[1] + y / many)] });
}

const within = (value) => Math.min(0.999, Math.max(0, value));
const mapOf = ({ steps, size, row }) => sizes(steps, size)[Number(row.dataset.n)];

function paint(canvas, state) {
  if (!canvas || !canvas.getClientRects().length || !state.row) return;
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, SIDE, SIDE);
  if (state.picture) cover(pen, state.picture);
  else pattern(pen);
  const many = mapOf(state);
  const step = Number(state.row.dataset.n);
  const field = Number(state.row.cells[5].textContent);
  const scale = SIDE / state.size;
  const [left, right] = windowOf(state.steps, step, field, Math.floor(within(state.at[0]) * many));
  const [top, bottom] = windowOf(state.steps, step, field, Math.floor(within(state.at[1]) * many));
  const box = [left * scale, top * scale, (right - left + 1) * scale, (bottom - top + 1) * scale];
  pen.fillStyle = "#0009";
  pen.beginPath();
  pen.rect(0, 0, SIDE, SIDE);
  pen.rect(...box);
  pen.fill("evenodd");
  pen.lineWidth = 3;
  pen.strokeStyle = "#fff";
  pen.strokeRect(...box);
  pen.lineWidth = 1.5;
  pen.strokeStyle = "#1d4e89";
  pen.strokeRect(...box);
}

/** The middle of the picture, as large as it goes: what a network is shown. */
function cover(pen, picture) {
  const side = Math.min(picture.width, picture.height);
  const [x, y] = [(picture.width - side) / 2, (picture.height - side) / 2];
  pen.drawImage(picture, x, y, side, side, 0, 0, SIDE, SIDE);
}

/** A plain scene until the reader brings a picture. */
function pattern(pen) {
  const sky = pen.createLinearGradient(0, 0, 0, SIDE);
  sky.addColorStop(0, "#9cc3e6");
  sky.addColorStop(0.62, "#f3e3c3");
  sky.addColorStop(0.63, "#6f8f5a");
  sky.addColorStop(1, "#3f5f3a");
  pen.fillStyle = sky;
  pen.fillRect(0, 0, SIDE, SIDE);
  for (const [x, y, r, colour] of [[330, 110, 42, "#fff3c4"], [150, 250, 70, "#4a6b8a"], [245, 265, 48, "#5d7f9d"]]) {
    pen.fillStyle = colour;
    pen.beginPath();
    if (r === 42) pen.arc(x, y, r, 0, 7);
    else pen.moveTo(x - r, 285), pen.lineTo(x, 285 - 2 * r), pen.lineTo(x + r, 285);
    pen.fill();
  }
  pen.fillStyle = "#b5523b";
  pen.fillRect(290, 270, 90, 70);
  pen.fillStyle = "#7c3526";
  pen.beginPath();
  pen.moveTo(280, 270), pen.lineTo(335, 225), pen.lineTo(390, 270);
  pen.fill();
}

// How one value came about, as HTML: its window, its weights, the sum.

import { html, nothing } from "../vendor/lit-html.js";
import { word } from "../words.js";
import { colour } from "./mosaic.js";

const MOST = 6; // channels whose windows are shown

/** The steps that a value came about by, the last first. */
export function told(steps, program) {
  if (!steps.length) return html`<p class=hint>${word("live.hint")}</p>`;
  return steps.map((found) => step(found, program));
}

function step(found, program) {
  const { op, at, answer } = found;
  const place = op.output.length === 1
    ? word("live.unit", { map: at[0] })
    : word("live.place", { map: at[0], row: at[1], column: at[2] });
  return html`<p><b class=path>${op.name || program.network}</b> ${word(`live.op.${op.op}`)}, ${place}:
    <output>${number(answer)}</output></p>${WAYS[found.join](found, program)}`;
}

const WAYS = { sum: summed, largest, product, distance, function: applied, moved };

/** Σ x w + b, channel by channel, those first that add most. */
function summed(found, program) {
  if (found.op.op === "norm") return scaled(found);
  if (found.op.op === "add") return joined(found, " + ");
  const groups = grouped(found);
  const shown = groups.slice(0, MOST);
  const rest = groups.slice(MOST).reduce((total, group) => total + group.sum, 0);
  return html`<p class=formula>${formula(found, groups)}</p>
    <div class=windows>${shown.map((group) => window(group, program))}</div>
    ${groups.length > MOST
      ? html`<p>${word("live.rest", { n: groups.length - MOST, sum: number(rest) })}</p>`
      : nothing}`;
}

/** Batch normalisation has one input. */
function scaled({ terms: [{ x, w }], bias, answer }) {
  return html`<p class=formula>${number(x)} × ${number(w)} + ${number(bias)} = ${number(answer)}</p>`;
}

function formula({ terms, bias, answer }, groups) {
  const parts = groups.length > 1 && groups.length <= MOST
    ? groups.map((group) => number(group.sum)).join(" + ")
    : word("live.terms", { n: terms.length });
  return `${parts} ${bias ? `+ ${number(bias)} (${word("live.bias")}) ` : ""}= ${number(answer)}`;
}

function grouped({ terms }) {
  const found = new Map();
  for (const one of terms) {
    const key = `${one.value} ${one.at[0]}`;
    if (!found.has(key)) found.set(key, { ...one, map: one.at[0], terms: [], sum: 0 });
    const group = found.get(key);
    group.terms.push(one);
    group.sum += one.x * one.w;
  }
  return [...found.values()].sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum));
}

/** The window in one map: its values, the weights, what they give. */
function window({ value, map, terms, sum }, program) {
  const from = value ? program.ops[value - 1].name || program.network : word("live.input");
  return html`<figure><figcaption>${from}, ${word("live.map", { map })}</figcaption>
    ${grid(terms, (one) => one.x, "×")}${grid(terms, (one) => one.w, "=")}
    <b>${number(sum)}</b></figure>`;
}

function grid(terms, read, sign) {
  const rows = [...new Set(terms.map((one) => one.at[1]))];
  const largest = Math.max(...terms.map((one) => Math.abs(read(one)))) || 1;
  if (terms.length > 49) return html`<span>${word("live.values", { n: terms.length })} ${sign}</span>`;
  return html`<table class=grid>${rows.map((row) => html`<tr>${terms
    .filter((one) => one.at[1] === row)
    .map((one) => html`<td style=${ink(read(one) / largest)}>${short(read(one))}`)}`)}</table>
    <span>${sign}</span>`;
}

function ink(share) {
  const [red, green, blue] = colour(share);
  return `background:rgb(${red},${green},${blue});color:${Math.abs(share) > 0.55 ? "#fff" : "#111"}`;
}

function largest({ terms, answer }) {
  return html`<p class=formula>max(${terms.map((one) => short(one.x)).join(", ")}) =
    ${number(answer)}</p>`;
}

function product(found) {
  return joined(found, " × ");
}

function joined({ terms, answer }, sign) {
  return html`<p class=formula>${terms.map((one) => number(one.x)).join(sign)} = ${number(answer)}</p>`;
}

function distance({ terms, answer }) {
  return html`<p class=formula>−Σ (x − c)² ${word("live.terms", { n: terms.length })} =
    ${number(answer)}</p>`;
}

function applied({ op, terms, answer }) {
  return html`<p class=formula>${NAMES[op.op](op)}(${number(terms[0].x)}) = ${number(answer)}</p>`;
}

const plain = (op) => op.op;
const NAMES = {
  relu: plain, tanh: plain, sigmoid: plain, hardsigmoid: plain, hardswish: plain,
  clip: (op) => `clip ${op.low}…${op.high} `,
  squash: () => "1.7159 tanh ⅔",
};

function moved({ terms }, program) {
  const [{ value, at }] = terms;
  const from = value ? program.ops[value - 1].name || program.network : word("live.input");
  return html`<p class=formula>${word("live.moved", { from, map: at[0] })}</p>`;
}

/** Four digits that matter. */
export const number = (value) => minus(Math.abs(value) < 1e-4 && value !== 0
  ? value.toExponential(1)
  : `${Number(value.toPrecision(4))}`);

const short = (value) => minus(Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2));
const minus = (text) => text.replaceAll("-", "−");

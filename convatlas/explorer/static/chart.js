// The chart: both axes logarithmic, a point for each row of the table below it.

import { html, render, svg } from "./vendor/lit-html.js";
import { address } from "./files.js";
import { word } from "./words.js";

const WIDE = 960;
const HIGH = 560;
const EDGE = { left: 56, right: 16, top: 16, bottom: 44 };

export function mount(main) {
  const points = [...main.querySelectorAll("tr[data-set]")].map(pointOf);
  const state = { set: "imagenet", cost: "macs", shown: undefined };
  const place = main.querySelector("#chart");
  const update = (change) => {
    Object.assign(state, change);
    render(view(points, state, update), place);
  };
  update({});
  document.addEventListener("language", () => update({}));
}

function pointOf(row) {
  const cells = [...row.children].map((cell) => cell.textContent);
  const count = (text) => Number(text.replaceAll(",", ""));
  return {
    name: cells[0], set: row.dataset.set, year: Number(row.dataset.year), error: Number(cells[2]),
    printed: cells[3], how: cells[4], where: cells[5], macs: count(cells[6]), params: count(cells[7]),
  };
}

function view(all, state, update) {
  const points = all.filter((point) => point.set === state.set);
  const choice = (key, value) => html`<button aria-pressed=${state[key] === value}
    @click=${() => update({ [key]: value, shown: undefined })}>${word(`chart.${value}`)}</button>`;
  return html`<div class="choices">
      ${choice("set", "imagenet")} ${choice("set", "cifar10")}
      <span class="gap"></span> ${choice("cost", "macs")} ${choice("cost", "params")}
    </div>
    <div class="scroll" tabindex="0" role="group" aria-label=${word("chart.title")}>
      ${plot(points, state, update)}
    </div>
    <p class="told" aria-live="polite">${told(state.shown)}</p>`;
}

function told(point) {
  if (!point) return word("chart.hint");
  const { name, year, printed, how, where } = point;
  return html`<b>${name}</b> (${year}): ${printed} %${how && `, ${how}`}. ${where}`;
}

function plot(points, state, update) {
  const x = scale(points.map((point) => point[state.cost]), EDGE.left, WIDE - EDGE.right, 1.3);
  const y = scale(points.map((point) => point.error), HIGH - EDGE.bottom, EDGE.top, 1.06);
  const best = frontier(points, state.cost);
  return svg`<svg class="chart" viewBox="0 0 ${WIDE} ${HIGH}" role="group">
    ${ticks(x, state.cost).map(([value, text]) => svg`<path class="grid" d="M${x.at(value)} ${EDGE.top}V${HIGH - EDGE.bottom}"/>
      <text x=${x.at(value)} y=${HIGH - EDGE.bottom + 18} text-anchor="middle">${text}</text>`)}
    ${ticks(y, "error").map(([value, text]) => svg`<path class="grid" d="M${EDGE.left} ${y.at(value)}H${WIDE - EDGE.right}"/>
      <text x=${EDGE.left - 8} y=${y.at(value) + 4} text-anchor="end">${text}</text>`)}
    <text x=${(WIDE + EDGE.left) / 2} y=${HIGH - 6} text-anchor="middle">${word(`chart.${state.cost}`)}</text>
    <text x="14" y=${HIGH / 2} text-anchor="middle" transform="rotate(-90 14 ${HIGH / 2})">${word("chart.error")}</text>
    <path class="frontier" d=${`M${best.map((point) => `${x.at(point[state.cost])} ${y.at(point.error)}`).join("L")}`}/>
    ${points.map((point) => dot(point, x.at(point[state.cost]), y.at(point.error), state, update))}
    ${labels(best, x, y, state.cost)}
  </svg>`;
}

function dot(point, x, y, state, update) {
  const show = () => update({ shown: point });
  return svg`<a href=${address(`networks/${point.name}.html`)} aria-label=${`${point.name}, ${point.printed} %`}
      @pointerenter=${show} @focus=${show}>
    <circle cx=${x} cy=${y} r=${state.shown === point ? 7 : 4.5} style=${`--h:${hue(point.year)}`}/></a>`;
}

/** Names beside the best points, where there is room. */
function labels(best, x, y, cost) {
  const placed = [];
  return best.flatMap((point) => {
    const at = [x.at(point[cost]) - 8, y.at(point.error) + 14];
    const free = placed.every(([u, v]) => Math.abs(u - at[0]) > 120 || Math.abs(v - at[1]) > 15);
    if (!free || at[0] < EDGE.left + 110) return [];
    placed.push(at);
    return [svg`<text class="name" x=${at[0]} y=${at[1]} text-anchor="end">${point.name}</text>`];
  });
}

const hue = (year) => Math.round(30 + (Math.min(2022, Math.max(2012, year)) - 2012) * 19);

/** A logarithmic axis that holds the values with a margin. */
function scale(values, from, to, margin) {
  const low = Math.log(Math.min(...values) / margin);
  const high = Math.log(Math.max(...values) * margin);
  const at = (value) => Math.round(10 * (from + ((Math.log(value) - low) / (high - low)) * (to - from))) / 10;
  return { at, low: Math.exp(low), high: Math.exp(high) };
}

function ticks({ low, high }, kind) {
  const steps = kind === "error" ? [1, 1.5, 2, 3, 4, 5, 7] : high / low > 2000 ? [1] : [1, 3];
  const found = [];
  for (let power = -3; power < 13; power++)
    for (const step of steps) {
      const value = step * 10 ** power;
      if (value >= low && value <= high) found.push([value, short(value)]);
    }
  return found;
}

function short(value) {
  for (const [unit, size] of [["G", 1e9], ["M", 1e6], ["k", 1e3]])
    if (value >= size) return `${Number((value / size).toPrecision(3))}${unit}`;
  return String(Number(value.toPrecision(3)));
}

/** The points that no other beats at their cost. */
export function frontier(points, cost) {
  let best = Infinity;
  return [...points]
    .sort((a, b) => a[cost] - b[cost] || a.error - b.error)
    .filter((point) => point.error < best && ((best = point.error), true));
}

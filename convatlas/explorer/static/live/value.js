// One value, taken apart: which values it was made of, by which weights. Written apart from the
// interpreter, in the way one would do it by hand, so that each checks the other.

import { read } from "./convolution.js";
import { scaleAndShift } from "./values.js";

/** How the value `place` (counted through map, row, column) of values[number] came about:
 * {op, join, terms: [{value, at: [map, row, column], x, w}], bias, answer}.
 *
 * join "sum": answer = the sum of all x * w, plus bias; "largest" of all x; "product" of all x;
 * "distance": minus the sum of all (x - w) squared; "function": op.op of x; "moved": x. */
export function takenApart(program, weights, values, number, place) {
  const op = program.ops[number - 1];
  const at = placeIn(op.output, place);
  const term = termsOf(program, values, op);
  const found = WAYS[op.op]({ op, at, term, weights, values, place });
  const answer = values[number].data[place];
  return { op, at, join: "sum", bias: 0, ...found, answer };
}

/** The steps back from a value: as long as each is made of a single other one, up to the first that
 * is made of many. */
export function cameAbout(program, weights, values, number, place) {
  const steps = [];
  while (number) {
    const found = takenApart(program, weights, values, number, place);
    steps.push(found);
    if (found.terms.length !== 1) break;
    const [{ value, at }] = found.terms;
    const [, rows = 1, columns = 1] = values[value].shape;
    [number, place] = [value, (at[0] * rows + at[1]) * columns + at[2]];
  }
  return steps;
}

/** 17 in 2 maps of 3x4 -> [1, 1, 1]; of a row of numbers -> [17, 0, 0]. */
export function placeIn([, rows = 1, columns = 1], place) {
  const area = rows * columns;
  return [Math.floor(place / area), Math.floor((place % area) / columns), place % columns];
}

/** term(which, [map, row, column], w) reads from the operation's input; null beyond its border. */
function termsOf(program, values, op) {
  return (which, at, w = 1) => {
    const value = op.reads[which];
    const { shape, data } = values[value];
    const [maps, rows = 1, columns = 1] = shape;
    const inside = at.every((one, axis) => one >= 0 && one < [maps, rows, columns][axis]);
    if (!inside) return null;
    return { value, at, x: data[(at[0] * rows + at[1]) * columns + at[2]], w };
  };
}

/** The places of a window: [row, column, step down, step right]. */
function* windowOf({ kernel, stride, padding = [0, 0], dilation = [1, 1] }, [, row, column]) {
  for (let down = 0; down < kernel[0]; down++)
    for (let right = 0; right < kernel[1]; right++)
      yield [
        row * stride[0] - padding[0] + down * dilation[0],
        column * stride[1] - padding[1] + right * dilation[1],
        down, right,
      ];
}

function convolved({ op, at, term, weights, values, place }) {
  const channels = values[op.reads[0]].shape[0];
  const area = op.kernel[0] * op.kernel[1];
  let first = 0; // of the map's kernels
  for (let map = 0; map < at[0]; map++) first += read(op, channels, map).length * area;
  const kernels = weights[op.weight].data;
  const terms = [];
  read(op, channels, at[0]).forEach((channel, turn) => {
    for (const [row, column, down, right] of windowOf(op, at)) {
      const w = kernels[first + turn * area + down * op.kernel[1] + right];
      terms.push(term(0, [channel, row, column], w));
    }
  });
  return { terms: terms.filter(Boolean), bias: biasOf(op, weights, at[0], place) };
}

function biasOf(op, weights, map, place) {
  if (!op.bias) return 0;
  const { data } = weights[op.bias];
  return data.length === op.output[0] ? data[map] : data[place];
}

function pooled(weigh) {
  return (here) => {
    const found = [...windowOf(here.op, here.at)]
      .map(([row, column]) => here.term(0, [here.at[0], row, column]))
      .filter(Boolean);
    return { terms: found, ...weigh(here, found) };
  };
}

const weighed = (terms, w) => ({ terms: terms.map((one) => ({ ...one, w })) });

function averaged({ op }, terms) {
  const area = op.kernel[0] * op.kernel[1];
  return weighed(terms, 1 / (op.divisor || (op.border ? area : terms.length)));
}

function subsampled({ op, at, weights }, terms) {
  const bias = weights[op.bias].data[at[0]];
  return { ...weighed(terms, weights[op.coefficient].data[at[0]]), bias };
}

/** All values of the input, as one row. */
function row({ op, term, values }) {
  const { shape, data } = values[op.reads[0]];
  return Array.from(data, (_, place) => term(0, placeIn(shape, place)));
}

function connected(here) {
  const { op, at, weights } = here;
  const terms = row(here);
  const matrix = weights[op.weight].data;
  terms.forEach((one, place) => (one.w = matrix[at[0] * terms.length + place]));
  return { terms, bias: op.bias ? weights[op.bias].data[at[0]] : 0 };
}

function distance(here) {
  const terms = row(here);
  const codes = here.weights[here.op.codes].data;
  terms.forEach((one, place) => (one.w = codes[here.at[0] * terms.length + place]));
  return { terms, join: "distance" };
}

function meanOf({ op, at, values, term }) {
  const [, rows, columns] = values[op.reads[0]].shape;
  const area = rows * columns;
  const places = Array.from({ length: area }, (_, one) => placeIn([1, rows, columns], one));
  return { terms: places.map(([, y, x]) => term(0, [at[0], y, x], 1 / area)) };
}

function normed({ op, at, term, weights }) {
  const { scale, shift } = scaleAndShift(op, weights);
  return { terms: [term(0, at, scale[at[0]])], bias: shift[at[0]] };
}

/** The same place of each input; of a gate, its one factor for the map. */
function same({ op, at, term }) {
  return op.reads.map((_, which) => term(which, at) ?? term(which, [at[0], 0, 0]));
}

const alone = (here) => ({ join: "function", terms: [here.term(0, here.at)] });

function dealt({ op, at, term, values }) {
  const each = values[op.reads[0]].shape[0] / op.groups;
  const from = (at[0] % op.groups) * each + Math.floor(at[0] / op.groups);
  return { join: "moved", terms: [term(0, [from, at[1], at[2]])] };
}

function joined({ op, at, term, values }) {
  let [map] = at;
  let which = 0;
  while (map >= values[op.reads[which]].shape[0]) map -= values[op.reads[which++]].shape[0];
  return { join: "moved", terms: [term(which, [map, at[1], at[2]])] };
}

function sliced({ op, at, term }) {
  const from = at.map((one, axis) => (axis === op.axis ? op.start + one * op.step : one));
  return { join: "moved", terms: [term(0, from)] };
}

function bordered({ op, at, term }) {
  const inside = term(0, at.map((one, axis) => one - op.before[axis]));
  return inside ? { join: "moved", terms: [inside] } : { terms: [], bias: op.value };
}

function reshaped({ op, place, term, values }) {
  return { join: "moved", terms: [term(0, placeIn(values[op.reads[0]].shape, place))] };
}

const FUNCTIONS = ["relu", "clip", "tanh", "sigmoid", "hardsigmoid", "hardswish", "squash"];
const WAYS = {
  conv: convolved,
  linear: connected,
  rbf: distance,
  maxpool: pooled(() => ({ join: "largest" })),
  avgpool: pooled(averaged),
  subsampling: pooled(subsampled),
  mean: meanOf,
  norm: normed,
  add: (here) => ({ terms: same(here) }),
  multiply: (here) => ({ join: "product", terms: same(here) }),
  shuffle: dealt,
  concat: joined,
  slice: sliced,
  pad: bordered,
  reshape: reshaped,
  ...Object.fromEntries(FUNCTIONS.map((name) => [name, alone])),
};

/** The answer by hand, for all that is no function of one value. */
export function byHand({ join, terms, bias }) {
  if (join === "largest") return Math.max(...terms.map(({ x }) => x));
  if (join === "product") return terms.reduce((product, { x }) => product * x, 1);
  if (join === "distance") return -terms.reduce((sum, { x, w }) => sum + (x - w) ** 2, 0);
  return terms.reduce((sum, { x, w }) => sum + x * w, bias);
}

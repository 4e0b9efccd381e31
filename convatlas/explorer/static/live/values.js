// What is done to each value by itself, or to two values in the same place.

const each = (change) => (op, input) => input.data.map((value) => change(value, op));

export const relu = each((a) => Math.max(a, 0));
export const clip = each((a, op) => Math.min(Math.max(a, op.low), op.high));
export const tanh = each(Math.tanh);
export const sigmoid = each((a) => 1 / (1 + Math.exp(-a)));
export const hardsigmoid = each((a) => Math.min(Math.max(a + 3, 0), 6) / 6);
export const hardswish = each((a) => (a * Math.min(Math.max(a + 3, 0), 6)) / 6);
export const squash = each((a) => 1.7159 * Math.tanh((2 / 3) * a)); // so that f(1) = 1, f(-1) = -1

/** Batch normalisation as it answers: a scale and a shift for each map. */
export function norm(op, input, weights) {
  const { scale, shift } = scaleAndShift(op, weights);
  const area = input.data.length / scale.length;
  return input.data.map((value, place) => {
    const map = Math.floor(place / area);
    return value * scale[map] + shift[map];
  });
}

/** What batch normalisation multiplies each map by, and what it adds. */
export function scaleAndShift(op, weights) {
  const mean = weights[op.mean].data;
  const variance = weights[op.variance].data;
  const weight = op.weight ? weights[op.weight].data : mean.map(() => 1);
  const bias = op.bias ? weights[op.bias].data : mean.map(() => 0);
  const scale = Array.from(weight, (w, map) => w / Math.sqrt(variance[map] + op.eps));
  return { scale, shift: Array.from(bias, (b, map) => b - mean[map] * scale[map]) };
}

/** Two tensors, value by value. */
export const add = pairs((a, b) => a + b);

/** The same as a product; one of them may hold a single factor for each map: a gate. */
export const multiply = pairs((a, b) => a * b);

function pairs(join) {
  return (op, first, weights, second) => {
    const size = op.output.reduce((product, side) => product * side, 1);
    const one = size / first.data.length;
    const two = size / second.data.length;
    const answer = new Float32Array(size);
    for (let place = 0; place < size; place++)
      answer[place] = join(first.data[Math.floor(place / one)], second.data[Math.floor(place / two)]);
    return answer;
  };
}

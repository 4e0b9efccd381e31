// Convolution, the one operation that costs: everything here is for its inner loop.
//
// A value of the answer is a sum over taps: weight times the pixel that lies `offset` places behind
// the corner of the window. The offsets are the same for every window of a map, so they are counted
// once. A map may read all maps of the input, those of its group, or those that a table names.

/** (channels, height, width) -> (maps, rows, columns), as `op` says. */
export function convolution(op, input, weights) {
  const field = bordered(input, op.padding);
  const [maps, rows, columns] = op.output;
  const kernels = weights[op.weight].data;
  const answer = new Float32Array(maps * rows * columns);
  let first = 0; // of the map's weights
  let offsets, group;
  for (let map = 0; map < maps; map++) {
    const next = op.table ? map : Math.floor((map * op.groups) / maps);
    if (next !== group) offsets = tapsOf(op, field, read(op, input.shape[0], map));
    group = next;
    const taps = kernels.subarray(first, first + offsets.length);
    oneMap(answer.subarray(map * rows * columns), rows, columns, field, taps, offsets, op.stride);
    first += offsets.length;
  }
  if (op.bias) addBias(answer, weights[op.bias].data);
  return answer;
}

/** The maps of the input that one map of the answer reads. */
export function read(op, channels, map) {
  if (op.table) return op.table[map];
  const each = channels / op.groups;
  const group = Math.floor((map * op.groups) / op.output[0]);
  return Array.from({ length: each }, (_, place) => group * each + place);
}

/** How far each tap lies behind the corner of its window. */
function tapsOf(op, field, channels) {
  const offsets = new Int32Array(channels.length * op.kernel[0] * op.kernel[1]);
  let tap = 0;
  for (const channel of channels)
    for (let y = 0; y < op.kernel[0]; y++)
      for (let x = 0; x < op.kernel[1]; x++)
        offsets[tap++] =
          (channel * field.height + y * op.dilation[0]) * field.width + x * op.dilation[1];
  return offsets;
}

function oneMap(answer, rows, columns, field, weights, offsets, [down, right]) {
  const pixels = field.data;
  const taps = offsets.length;
  for (let y = 0; y < rows; y++) {
    let corner = y * down * field.width;
    let x = 0;
    // Four neighbours at a time: each weight is fetched once for all four.
    for (; x + 3 < columns; x += 4) {
      let a = 0, b = 0, c = 0, d = 0;
      for (let tap = 0; tap < taps; tap++) {
        const weight = weights[tap];
        const place = corner + offsets[tap];
        a += weight * pixels[place];
        b += weight * pixels[place + right];
        c += weight * pixels[place + 2 * right];
        d += weight * pixels[place + 3 * right];
      }
      const place = y * columns + x;
      answer[place] = a;
      answer[place + 1] = b;
      answer[place + 2] = c;
      answer[place + 3] = d;
      corner += 4 * right;
    }
    for (; x < columns; x++) {
      let sum = 0;
      for (let tap = 0; tap < taps; tap++) sum += weights[tap] * pixels[corner + offsets[tap]];
      answer[y * columns + x] = sum;
      corner += right;
    }
  }
}

/** One bias for each map; or one for each value, as in 1989. */
function addBias(answer, bias) {
  const each = answer.length / bias.length;
  for (let place = 0; place < answer.length; place++) answer[place] += bias[Math.floor(place / each)];
}

/** The input with a border of zeros around each map. */
function bordered(input, [vertical, horizontal]) {
  const [channels, rows, columns] = input.shape;
  if (vertical === 0 && horizontal === 0)
    return { data: input.data, height: rows, width: columns };
  const height = rows + 2 * vertical;
  const width = columns + 2 * horizontal;
  const data = new Float32Array(channels * height * width);
  for (let channel = 0; channel < channels; channel++)
    for (let y = 0; y < rows; y++) {
      const from = (channel * rows + y) * columns;
      const to = (channel * height + y + vertical) * width + horizontal;
      data.set(input.data.subarray(from, from + columns), to);
    }
  return { data, height, width };
}

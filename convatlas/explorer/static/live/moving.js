// What only moves values: nothing is computed here.

/** The same values in another shape. */
export const reshape = (op, input) => input.data;

/** The maps of all inputs, one after another. */
export function concat(op, ...rest) {
  const inputs = rest.filter((input) => input.data); // the weights stand among them
  const answer = new Float32Array(inputs.reduce((size, input) => size + input.data.length, 0));
  let place = 0;
  for (const input of inputs) {
    answer.set(input.data, place);
    place += input.data.length;
  }
  return answer;
}

/** Map g * each + i becomes map i * groups + g: as cards are dealt from `groups` heaps in turn. */
export function shuffle(op, input) {
  const each = input.shape[0] / op.groups;
  const area = input.data.length / input.shape[0];
  const answer = new Float32Array(input.data.length);
  for (let group = 0; group < op.groups; group++)
    for (let place = 0; place < each; place++) {
      const from = (group * each + place) * area;
      answer.set(input.data.subarray(from, from + area), (place * op.groups + group) * area);
    }
  return answer;
}

/** Every `step`-th of the maps, rows or columns from `start` to `stop`. */
export function slice(op, input) {
  return gathered(op, input, (at) => {
    const from = [...at];
    from[op.axis] = op.start + at[op.axis] * op.step;
    return from;
  });
}

/** `value` before and after the maps, the rows, the columns. */
export function pad(op, input) {
  const moved = (at) => at.map((place, axis) => place - op.before[axis]);
  return gathered(op, input, moved, op.value);
}

/** For every place of the answer the value of the input at `from(place)`, or `beyond` it. */
function gathered(op, input, from, beyond = 0) {
  const [maps, rows, columns] = op.output;
  const [, height, width] = input.shape;
  const answer = new Float32Array(maps * rows * columns);
  let place = 0;
  for (let map = 0; map < maps; map++)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const at = from([map, row, column]);
        const inside = at.every((one, axis) => one >= 0 && one < input.shape[axis]);
        answer[place++] = inside ? input.data[(at[0] * height + at[1]) * width + at[2]] : beyond;
      }
  return answer;
}

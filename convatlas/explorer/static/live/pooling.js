// What makes maps smaller: the largest, the mean or the weighted sum of each window, and the mean of
// a whole map.

/** The largest value of each window; beyond the border is nothing. */
export function maxpool(op, input) {
  return windows(op, input, (values) => {
    let largest = -Infinity;
    for (const value of values) if (value > largest) largest = value;
    return largest;
  });
}

/** The mean of each window, over `divisor` values where that is said. */
export function avgpool(op, input) {
  const area = op.kernel[0] * op.kernel[1];
  return windows(op, input, (values) => {
    let sum = 0;
    for (const value of values) sum += value;
    return sum / (op.divisor || (op.border ? area : values.length));
  });
}

/** LeNet's: the sum of each window times the map's coefficient, plus its bias. */
export function subsampling(op, input, weights) {
  const coefficient = weights[op.coefficient].data;
  const bias = weights[op.bias].data;
  return windows({ padding: [0, 0], ...op }, input, (values, map) => {
    let sum = 0;
    for (const value of values) sum += value;
    return sum * coefficient[map] + bias[map];
  });
}

/** The mean of each map. */
export function mean(op, input) {
  const maps = input.shape[0];
  const area = input.data.length / maps;
  const answer = new Float32Array(maps);
  for (let map = 0; map < maps; map++) {
    let sum = 0;
    for (let place = 0; place < area; place++) sum += input.data[map * area + place];
    answer[map] = sum / area;
  }
  return answer;
}

/** The answer of `told(values, map)` for every window; `values` holds what lies in the picture. */
function windows(op, input, told) {
  const [maps, rows, columns] = op.output;
  const [, height, width] = input.shape;
  const answer = new Float32Array(maps * rows * columns);
  const values = [];
  let place = 0;
  for (let map = 0; map < maps; map++)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const top = row * op.stride[0] - op.padding[0];
        const left = column * op.stride[1] - op.padding[1];
        values.length = 0;
        for (let y = Math.max(top, 0); y < Math.min(top + op.kernel[0], height); y++)
          for (let x = Math.max(left, 0); x < Math.min(left + op.kernel[1], width); x++)
            values.push(input.data[(map * height + y) * width + x]);
        answer[place++] = told(values, map);
      }
  return answer;
}

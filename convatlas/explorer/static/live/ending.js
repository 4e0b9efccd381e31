// The last layers: sums over all values, and LeNet-5's distances to drawn characters.

/** A fully connected layer: one sum for each row of its matrix. */
export function linear(op, input, weights) {
  const matrix = weights[op.weight].data;
  const bias = op.bias ? weights[op.bias].data : null;
  const [rows] = op.output;
  const columns = input.data.length;
  const answer = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    let sum = bias ? bias[row] : 0;
    for (let place = 0; place < columns; place++)
      sum += matrix[row * columns + place] * input.data[place];
    answer[row] = sum;
  }
  return answer;
}

/** Minus the squared distance to the drawn character of each class. */
export function rbf(op, input, weights) {
  const codes = weights[op.codes].data;
  const size = input.data.length;
  return Float32Array.from({ length: codes.length / size }, (_, row) => {
    let sum = 0;
    for (let place = 0; place < size; place++)
      sum += (input.data[place] - codes[row * size + place]) ** 2;
    return -sum;
  });
}

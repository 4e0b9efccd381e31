// Runs a network's program (live/program.py writes it): its operations in order, each reading what
// earlier ones made.

import { convolution } from "./convolution.js";
import { linear, rbf } from "./ending.js";
import { concat, pad, reshape, shuffle, slice } from "./moving.js";
import { avgpool, maxpool, mean, subsampling } from "./pooling.js";
import {
  add, clip, hardsigmoid, hardswish, multiply, norm, relu, sigmoid, squash, tanh,
} from "./values.js";

const OPERATIONS = {
  conv: convolution,
  linear, rbf,
  concat, pad, reshape, shuffle, slice,
  avgpool, maxpool, mean, subsampling,
  add, clip, hardsigmoid, hardswish, multiply, norm, relu, sigmoid, squash, tanh,
};

/** All values of a program for one input: value 0 is the input, value i what operation i - 1 makes,
 * each {shape, data: Float32Array}. `weights` are what tensors() read. */
export function run(program, weights, input) {
  const values = [{ shape: program.input, data: input }];
  for (const op of program.ops) {
    const [first, ...others] = op.reads.map((value) => values[value]);
    values.push({ shape: op.output, data: OPERATIONS[op.op](op, first, weights, ...others) });
  }
  return values;
}

/** The scores of the classes, the last value. */
export const scores = (values) => values[values.length - 1].data;

/** The shares that a softmax gives the classes. */
export function shares(logits) {
  const largest = logits.reduce((one, other) => Math.max(one, other));
  const raised = Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = raised.reduce((total, one) => total + one, 0);
  return raised.map((one) => one / sum);
}

/** The class activation map of one class where it is an identity, else null: what each place of the
 * last maps adds to the score. Its mean plus the bias is the score. */
export function activationMap(program, weights, values, one) {
  if (!program.cam) return null;
  const maps = values[program.cam.maps];
  const [channels, height, width] = maps.shape;
  const area = height * width;
  if (!program.cam.weight)
    return { height, width, bias: 0, data: maps.data.slice(one * area, (one + 1) * area) };
  const matrix = weights[program.cam.weight].data;
  const data = new Float32Array(area);
  for (let channel = 0; channel < channels; channel++)
    for (let place = 0; place < area; place++)
      data[place] += matrix[one * channels + channel] * maps.data[channel * area + place];
  const bias = program.cam.bias ? weights[program.cam.bias].data[one] : 0;
  return { height, width, bias, data };
}

// A network's program as an ONNX file, made in the page: what onnxruntime runs. Value i of the
// program is the tensor "vi", with a batch of one.

import { read } from "./convolution.js";
import { float, message } from "./protobuf.js";

const FLOAT = 1, INT64 = 7; // types of tensors
const OPSET = 17;

/** The bytes of the file; its outputs are the values that `wanted` names. */
export function onnxFile(program, weights, wanted) {
  const graph = new Graph(weights);
  program.ops.forEach((op, place) => {
    const inputs = op.reads.map((value) => `v${value}`);
    const read = op.reads.map((value) => (value ? program.ops[value - 1].output : program.input));
    WRITERS[op.op](graph, op, inputs, `v${place + 1}`, read[0]);
  });
  const shape = (value) => (value ? program.ops[value - 1].output : program.input);
  const about = (value) => valueInfo(`v${value}`, [1, ...shape(value)]);
  return message([
    [1, 8], // the format's version
    [8, message([[1, ""], [2, OPSET]])],
    [7, message([
      [1, graph.nodes], [2, program.network], [5, graph.tensors],
      [11, about(0)], [12, wanted.map(about)],
    ])],
  ]);
}

function valueInfo(name, shape) {
  const dims = message([[1, shape.map((side) => message([[1, side]]))]]);
  return message([[1, name], [2, message([[1, message([[1, FLOAT], [2, dims]])]])]]);
}

/** Nodes and weights, while they are written. */
class Graph {
  constructor(weights) {
    Object.assign(this, { weights, nodes: [], tensors: [] });
  }

  node(kind, inputs, output, settings = {}) {
    const attributes = Object.entries(settings).map(([name, value]) => attribute(name, value));
    this.nodes.push(message([[1, inputs], [2, output], [4, kind], [5, attributes]]));
    return output;
  }

  /** A constant, named after the value that it is for. */
  tensor(name, shape, data, type = FLOAT) {
    const raw = type === INT64 ? BigInt64Array.from(data, BigInt) : Float32Array.from(data);
    const bytes = new Uint8Array(raw.buffer);
    this.tensors.push(message([[1, shape], [2, type], [8, name], [9, bytes]]));
    return name;
  }

  weight(name, output, shape = this.weights[name].shape) {
    return this.tensor(`${output}.${name}`, shape, this.weights[name].data);
  }

  whole(name, numbers) {
    return this.tensor(name, [numbers.length], numbers, INT64);
  }
}

function attribute(name, value) {
  if (Array.isArray(value)) return message([[1, name], [8, value], [20, 7]]);
  if (Number.isInteger(value)) return message([[1, name], [3, value], [20, 2]]);
  return message([[1, name], [2, float(value)], [20, 1]]);
}

function conv(graph, op, inputs, output, shape) {
  const [maps] = op.output;
  const bias = op.bias && graph.weights[op.bias];
  const each = bias && bias.data.length === maps;
  const settings = {
    kernel_shape: op.kernel, strides: op.stride, dilations: op.dilation, group: op.groups,
    pads: [...op.padding, ...op.padding],
  };
  const kernels = op.table ? filledTable(graph, op, output, shape) : graph.weight(op.weight, output);
  const parts = [...inputs, kernels, ...(each ? [graph.weight(op.bias, output, [maps])] : [])];
  if (!bias || each) return graph.node("Conv", parts, output, settings);
  graph.node("Conv", parts, `${output}.sums`, settings);
  graph.node("Add", [`${output}.sums`, graph.weight(op.bias, output, [1, ...bias.shape])], output);
}

/** Kernels for all maps, those that the table does not name being zero. */
function filledTable(graph, op, output, [channels]) {
  const area = op.kernel[0] * op.kernel[1];
  const { data } = graph.weights[op.weight];
  const full = new Float32Array(op.output[0] * channels * area);
  let first = 0;
  for (let map = 0; map < op.output[0]; map++)
    for (const channel of read(op, channels, map)) {
      full.set(data.subarray(first, first + area), (map * channels + channel) * area);
      first += area;
    }
  return graph.tensor(`${output}.kernels`, [op.output[0], channels, ...op.kernel], full);
}

function linear(graph, op, inputs, output) {
  const bias = op.bias ? [graph.weight(op.bias, output)] : [];
  graph.node("Gemm", [...inputs, graph.weight(op.weight, output), ...bias], output, { transB: 1 });
}

function norm(graph, op, inputs, output, [maps]) {
  const ones = (name, value) => name
    ? graph.weight(name, output)
    : graph.tensor(`${output}.all.${value}`, [maps], new Float32Array(maps).fill(value));
  const vectors = [
    ones(op.weight, 1), ones(op.bias, 0), graph.weight(op.mean, output), graph.weight(op.variance, output),
  ];
  graph.node("BatchNormalization", [...inputs, ...vectors], output, { epsilon: op.eps });
}

function pool(kind) {
  return (graph, op, inputs, output, [, ...sides]) => {
    const floor = sides.map((side, axis) =>
      Math.floor((side + 2 * op.padding[axis] - op.kernel[axis]) / op.stride[axis]) + 1);
    const settings = {
      kernel_shape: op.kernel, strides: op.stride, pads: [...op.padding, ...op.padding],
      ceil_mode: floor.some((side, axis) => side !== op.output[1 + axis]) ? 1 : 0,
    };
    if (kind === "AveragePool") settings.count_include_pad = op.border ? 1 : 0;
    if (!op.divisor) return graph.node(kind, inputs, output, settings);
    graph.node(kind, inputs, `${output}.mean`, settings);
    const factor = (op.kernel[0] * op.kernel[1]) / op.divisor;
    graph.node("Mul", [`${output}.mean`, graph.tensor(`${output}.factor`, [], [factor])], output);
  };
}

/** As a convolution of each map with one weight in all places. */
function subsampling(graph, op, inputs, output, [maps]) {
  const area = op.kernel[0] * op.kernel[1];
  const { data } = graph.weights[op.coefficient];
  const kernels = Float32Array.from({ length: maps * area }, (_, place) => data[Math.floor(place / area)]);
  const weight = graph.tensor(`${output}.kernels`, [maps, 1, ...op.kernel], kernels);
  const bias = graph.weight(op.bias, output, [maps]);
  const settings = { kernel_shape: op.kernel, strides: op.stride, group: maps };
  graph.node("Conv", [...inputs, weight, bias], output, settings);
}

function mean(graph, op, inputs, output) {
  const keepdims = op.output.length === 3 ? 1 : 0;
  graph.node("ReduceMean", inputs, output, { axes: [2, 3], keepdims });
}

function rbf(graph, op, inputs, output) {
  const apart = graph.node("Sub", [...inputs, graph.weight(op.codes, output)], `${output}.apart`);
  const square = graph.node("Mul", [apart, apart], `${output}.square`);
  const axes = graph.whole(`${output}.axes`, [1]);
  const sum = graph.node("ReduceSum", [square, axes], `${output}.sum`, { keepdims: 0 });
  const minus = graph.node("Neg", [sum], `${output}.minus`);
  shaped(graph, minus, output, [1, ...op.output]);
}

function shaped(graph, input, output, shape) {
  return graph.node("Reshape", [input, graph.whole(`${output}.shape`, shape)], output);
}

function shuffle(graph, op, [input], output, [maps, ...sides]) {
  const heaps = shaped(graph, input, `${output}.heaps`, [1, op.groups, maps / op.groups, ...sides]);
  const dealt = graph.node("Transpose", [heaps], `${output}.dealt`, { perm: [0, 2, 1, 3, 4] });
  shaped(graph, dealt, output, [1, ...op.output]);
}

function slice(graph, op, inputs, output) {
  const numbers = [[op.start], [op.stop], [1 + op.axis], [op.step]];
  const names = ["starts", "ends", "axes", "steps"];
  const parts = names.map((name, place) => graph.whole(`${output}.${name}`, numbers[place]));
  graph.node("Slice", [...inputs, ...parts], output);
}

function pad(graph, op, inputs, output) {
  const pads = graph.whole(`${output}.pads`, [0, ...op.before, 0, ...op.after]);
  graph.node("Pad", [...inputs, pads, graph.tensor(`${output}.value`, [], [op.value])], output);
}

function clip(graph, op, inputs, output) {
  const ends = ["low", "high"].map((end) => graph.tensor(`${output}.${end}`, [], [op[end]]));
  graph.node("Clip", [...inputs, ...ends], output);
}

function squash(graph, op, inputs, output) {
  const inner = graph.tensor(`${output}.inner`, [], [2 / 3]);
  const outer = graph.tensor(`${output}.outer`, [], [1.7159]);
  const small = graph.node("Mul", [...inputs, inner], `${output}.small`);
  graph.node("Mul", [graph.node("Tanh", [small], `${output}.tanh`), outer], output);
}

const plain = (kind, settings) => (graph, op, inputs, output) =>
  graph.node(kind, inputs, output, settings);

const WRITERS = {
  conv, linear, norm, subsampling, mean, rbf, shuffle, slice, pad, clip, squash,
  maxpool: pool("MaxPool"),
  avgpool: pool("AveragePool"),
  reshape: (graph, op, [input], output) => shaped(graph, input, output, [1, ...op.output]),
  concat: plain("Concat", { axis: 1 }),
  add: plain("Add"),
  multiply: plain("Mul"),
  relu: plain("Relu"),
  tanh: plain("Tanh"),
  sigmoid: plain("Sigmoid"),
  hardsigmoid: plain("HardSigmoid", { alpha: 1 / 6, beta: 0.5 }),
  hardswish: plain("HardSwish"),
};

// A stored walk read back: convatlas/anatomy/walk_record.py says what a record holds.

import { Graph, homeOf } from "./graph.js";
import { Float, product, sum } from "./python.js";
import { Walk } from "./steps.js";

const STATISTICS = ["running_mean", "running_var"]; // weights that do not train
const NORMS = { "batch norm": STATISTICS, "layer norm": [] };

export function fromRecord(record) {
  const words = record.words.map(([op, own]) => [op, settings(own)]);
  const nodes = [];
  const seen = new Set();
  for (const [word, step, shape, offsets, unusual] of record.nodes) {
    const node = nodeOf(nodes, words[word], step, shape, offsets);
    const own = Array.isArray(unusual) ? told(unusual) : usual(nodes, node, seen, unusual ?? 0);
    Object.assign(node, own);
    node.weights.forEach((weight) => seen.add(weight.name));
    nodes.push(node);
  }
  const habits = {
    drops: record.drops.map(([place, name, kind, own]) => ({
      ...{ place, name, kind },
      own: settings(own),
    })),
    momentum: momenta(nodes, record.momentum),
    idle: Object.entries(record.idle),
    opened: new Set(record.opened),
    stacks: new Set(record.stacks),
  };
  const { kind, size, inputs, outputs } = record;
  return new Walk(new Graph(kind, size, nodes, inputs, outputs), habits);
}

const settings = (own) =>
  new Map(Object.entries(own).map(([key, value]) => [key, fixed(value)]));

function fixed(value) {
  if (Array.isArray(value)) return value.map(fixed);
  return value && typeof value === "object" ? new Float(value.float) : value;
}

/** A path, as the one before goes on: "2.conv1" is two words of that one's, then conv1. */
function stepped(before, step) {
  const [head, ...rest] = step.split(".");
  const kept = before.split(".").slice(0, parseInt(head, 10));
  if (head.endsWith("+")) kept.push(String(Number(kept.pop()) + 1));
  return [...kept, ...rest].join(".");
}

function nodeOf(nodes, [op, own], step, shape, offsets) {
  const reads = (offsets ?? [1]).map((offset) => nodes.length - offset);
  let output = reads.length ? nodes[reads[0]].output : [];
  if (Array.isArray(shape)) output = shape;
  else if (typeof shape === "number") output = [shape, ...output.slice(1)];
  const name = stepped(nodes.at(-1)?.name ?? "", step);
  return { op, own, reads, weights: [], output, name, params: 0, macs: 0 };
}

function told([weights, params, macs]) {
  return { weights: weights.map(([name, shape]) => ({ name, shape })), params, macs };
}

/** The weights that such an operation has; those that train count where they are first used. */
function usual(nodes, node, seen, ones) {
  const read = node.reads.length ? nodes[node.reads[0]].output : [];
  const prefix = node.name ? `${node.name}.` : "";
  const weights = held(node, read, ones).map(([name, shape]) => ({ name: prefix + name, shape }));
  const trained = weights.filter(
    ({ name }) => !seen.has(name) && !STATISTICS.some((end) => name.endsWith(end)),
  );
  const heavy = node.op === "conv" || node.op === "linear";
  return {
    weights,
    params: sum(trained.map(({ shape }) => product(shape))),
    macs: heavy ? product(weights[0].shape) * product(node.output.slice(1)) : 0,
  };
}

/** Names and shapes of the weights. */
function held(node, read, ones) {
  const out = node.output.slice(0, 1);
  const found = [];
  if (node.op === "conv") {
    const window = node.own.get("kernel");
    found.push(["weight", [...out, Math.floor(read[0] / node.own.get("groups")), ...window]]);
  } else if (node.op === "linear") {
    found.push(["weight", [...out, product(read), ...Array(ones).fill(1)]]);
  }
  if (node.own.get("bias")) found.push(["bias", out]);
  if (NORMS[node.op]) {
    const affine = node.own.get("affine");
    if (affine.includes("scale")) found.push(["weight", out]);
    if (affine.includes("shift")) found.push(["bias", out]);
    NORMS[node.op].forEach((name) => found.push([name, out]));
  }
  return found;
}

function momenta(nodes, [most, others]) {
  const norms = nodes.filter((node) => node.op === "batch norm" && node.weights.length);
  const found = new Map(norms.map((node) => [homeOf(node), most]));
  for (const [home, value] of Object.entries(others)) found.set(home, value);
  return new Map([...found].filter(([, value]) => value !== null));
}

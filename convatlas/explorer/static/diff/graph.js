// What a graph of operations is made of: convatlas/wiring/graph.py.
//
// A node is {op, own, reads, weights, output, name, params, macs}: `own` a Map of its settings,
// `reads` places of nodes, `weights` [{name, shape}], `output` its shape without the batch.

import { byCode, parted, product, repr } from "./python.js";

export const COMMUTATIVE = new Set(["add", "multiply"]);

export class Graph {
  constructor(kind, size, nodes, inputs, outputs) {
    Object.assign(this, { kind, size, nodes, inputs, outputs });
  }

  /** For each node those that read it, one for each reading. */
  get readers() {
    const found = this.nodes.map(() => []);
    this.nodes.forEach((node, place) => node.reads.forEach((read) => found[read].push(place)));
    Object.defineProperty(this, "readers", { value: found });
    return found;
  }
}

/** [512, 1, 1] -> [512]: sides of one at the end hold nothing. */
export function bare(shape) {
  let kept = shape.length;
  while (kept > 1 && shape[kept - 1] === 1) kept -= 1;
  return shape.slice(0, kept);
}

export const numel = (weight) => product(weight.shape);

const SAID = new WeakMap();

/** The settings of a node as one text, in an order of their own; of many nodes they are one Map. */
export function settingsText(node) {
  if (!SAID.has(node.own)) {
    const own = [...node.own].filter(([key]) => key !== "over" || !COMMUTATIVE.has(node.op));
    SAID.set(node.own, repr(own.sort(([a], [b]) => byCode(a, b))));
  }
  return SAID.get(node.own);
}

/** The module that holds a node's weights. */
export const homeOf = (node) => parted(node.weights.at(-1).name)[0];

// What a network computes, step by step: convatlas/anatomy/steps.py.

import { homeOf } from "./graph.js";
import { by, byCode, general, listOf, numbered, parted, repr, sum, text } from "./python.js";
import { told, VALUES } from "./telling.js";

const CLASSES = {
  activation: [
    ...["relu", "relu6", "swish", "h-swish", "h-sigmoid", "sigmoid", "tanh", "gelu", "elu"],
    ...["hardtanh", "leaky relu", "prelu", "mish", "softplus"],
  ],
  norm: [
    ...["batch norm", "group norm", "layer norm", "local response norm", "instance norm"],
    "batch norm without running statistics",
  ],
  pool: [
    ...["max pool", "average pool", "global average", "global max"],
    ...["adaptive average pool", "adaptive max pool"],
  ],
  join: ["add", "concat"],
};
const FAMILY = new Map(
  Object.entries(CLASSES).flatMap(([family, kinds]) => kinds.map((kind) => [kind, family])),
);
const WEIGHING = new Set(["conv", "transposed conv", "linear"]);
const MOMENTUM = /^momentum /;
export const TRAINING = "only in training";

/** What a step does, with its settings: one record for all steps that do the same. */
class Deed {
  constructor(kind, own) {
    Object.assign(this, { kind, own });
    const settings = [...own].sort(([a], [b]) => byCode(a, b));
    const written = settings.map(([key, value]) => `${key} ${repr(value)}`);
    this.settings = numbered([kind, ...written].join("; ")); // equal for steps of equal settings
    // equal for steps that do the same
    const doing = own.has("momentum") ? written.filter((each) => !MOMENTUM.test(each)) : written;
    this.like = numbered([kind, ...doing].join("; "));
    this.family = FAMILY.get(kind) ?? kind;
    this.weighs = WEIGHING.has(kind);
    this.kernel = this.weighs || this.family === "pool" ? (own.get("kernel") ?? null) : null;
    this.window = this.weighs ? by(own.get("kernel")) : ""; // of layers with weights
    this.channels = own.get("channels") ?? null;
  }
}

/** One operation on what comes from the input, or a part that only trains (its node is null). */
export class Step {
  constructor(name, deed, reads, output, params = 0, macs = 0, node = null) {
    this.name = name; // dotted path of the module that runs it
    this.last = parted(name)[1];
    this.kind = deed.kind;
    this.own = deed.own;
    this.settings = deed.settings;
    this.like = deed.like;
    this.family = deed.family;
    this.weighs = deed.weighs;
    this.kernel = deed.kernel;
    this.window = deed.window;
    this.channels = deed.channels;
    this.reads = reads;
    this.output = output;
    this.map = by(output.slice(1));
    this.params = params;
    this.macs = macs;
    this.node = node;
    this.trains = node === null;
  }

  /** "3x3 conv 64 /2", "linear 1000", "batch norm", "dropout 0.5" */
  toString() {
    const { own, kind } = this;
    if (own.has("what")) return text(own.get("what"));
    if (!this.weighs && this.family !== "pool") {
      const number = own.has("p") ? "p" : "other";
      return own.has(number) ? `${kind} ${general(own.get(number), 6)}` : kind;
    }
    const groups = own.get("groups") ?? 1;
    const stride = by(own.get("stride"));
    const words = [
      ...[by(this.kernel), groups === "depthwise" ? groups : "", kind],
      text(own.get("channels") ?? ""),
      ["", "1"].includes(stride) ? "" : `/${stride}`,
      [1, "depthwise"].includes(groups) ? "" : `g${groups}`,
    ];
    return words.filter(Boolean).join(" ");
  }
}

/** A network as a graph and as steps, in the order they run; `habits` are what its graph does not
 * hold: {drops, momentum, idle, opened, stacks}. */
export class Walk {
  constructor(graph, habits) {
    Object.assign(this, { graph, habits, kind: graph.kind, size: graph.size });
    this.steps = [...stepsOf(graph, habits)];
    this.params = sum(this.steps.map((step) => step.params));
    this.macs = sum(this.steps.map((step) => step.macs));
  }
}

function* stepsOf(graph, habits) {
  const drops = new Map();
  for (const { place, name, kind, own } of habits.drops) {
    listOf(drops, place).push(new Step(name, new Deed(kind, own), null, []));
  }
  const unpaid = new Map(
    graph.nodes.flatMap((node, i) => (VALUES.has(node.op) ? [[i, node.params]] : [])),
  );
  yield* drops.get(0) ?? [];
  for (const [place, node] of graph.nodes.entries()) {
    if (!VALUES.has(node.op) && node.op !== "input") {
      yield stepOf(graph, place, unpaid, habits.momentum);
    }
    yield* drops.get(place + 1) ?? [];
  }
  for (const [name, params] of habits.idle) {
    yield new Step(name, new Deed(TRAINING, new Map()), null, [], params);
  }
}

/** The parameters of nodes that only hold a value are those of the first step that reads it. */
function stepOf(graph, place, unpaid, momentum) {
  const node = graph.nodes[place];
  let params = node.params;
  for (const read of node.reads) {
    params += unpaid.get(read) ?? 0;
    unpaid.delete(read);
  }
  const { name, output, macs } = node;
  const deed = deedOf(graph, node, momentum);
  return new Step(name, deed, width(graph, node), output, params, macs, place);
}

const DEEDS = new WeakMap();

/** Nodes of one operation and settings do the same where they have channels and momentum alike. */
function deedOf(graph, node, momentum) {
  const home = node.weights.length ? homeOf(node) : null;
  const speed = home === null ? undefined : momentum.get(home);
  const constant = node.reads.some((read) => graph.nodes[read].op === "constant");
  const key = `${graph.nodes[node.reads[0]]?.output[0]} ${node.output[0]} ${speed}`;
  const known = DEEDS.get(node.own) ?? new Map();
  DEEDS.set(node.own, known);
  if (constant || !known.has(key)) {
    const [kind, own] = told(graph, node);
    if (speed !== undefined) own.set("momentum", speed);
    known.set(key, new Deed(kind, own));
  }
  return known.get(key);
}

/** Channels, or features, of the first map that a node reads. */
function width(graph, node) {
  const first = node.reads.map((read) => graph.nodes[read]).find((n) => !VALUES.has(n.op));
  return first?.output[0] ?? null;
}

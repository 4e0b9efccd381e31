// Operations of two graphs that answer to each other whatever they are called:
// convatlas/anatomy/anchoring.py.

import { COMMUTATIVE } from "./graph.js";
import { byCode, leveled, listOf, numbered, repr } from "./python.js";

/** Places of nodes of `a`, with the places of those of `b`; one to one. */
export function anchors(a, b) {
  const pairs = new Map();
  for (const of of [leading, following]) {
    const here = places(of(a), new Set(pairs.keys()));
    const there = places(of(b), new Set(pairs.values()));
    for (const [key, own] of here) {
      const others = there.get(key) ?? [];
      if (own.length === others.length) inOrder(a, b, own, others, pairs);
    }
  }
  return pairs;
}

function places(keys, taken) {
  const found = new Map();
  keys.forEach((key, place) => {
    if (!taken.has(place)) listOf(found, key).push(place);
  });
  return found;
}

/** Equal ones, such as branches that are alike: by name, or else as they come. */
function inOrder(a, b, own, others, pairs) {
  const names = new Map(others.map((other) => [b.nodes[other].name, other]));
  const mine = new Set(own.map((place) => a.nodes[place].name));
  const named =
    names.size === others.length &&
    names.size === mine.size &&
    [...mine].every((name) => names.has(name));
  own.forEach((place, i) => {
    pairs.set(place, named ? names.get(a.nodes[place].name) : others[i]);
  });
}

/** A key for each node of all that leads to it. */
function leading(graph) {
  const found = [];
  graph.nodes.forEach((node, place) => {
    const sources = node.reads.map((read) => found[read]);
    if (COMMUTATIVE.has(node.op)) sources.sort((x, y) => x - y);
    found.push(numbered(`${does(node)} ${graph.inputs.indexOf(place)} from ${sources}`));
  });
  return found;
}

/** A key for each node of all that follows it. */
function following(graph) {
  const ends = graph.nodes.map(() => []);
  graph.outputs.forEach((place, position) => ends[place].push(`output ${position}`));
  const found = [];
  for (let place = graph.nodes.length - 1; place >= 0; place--) {
    const node = graph.nodes[place];
    found[place] = numbered(`${does(node)} to ${ends[place].sort(byCode)}`);
    node.reads.forEach((read, position) => {
      ends[read].push(`${found[place]} ${COMMUTATIVE.has(node.op) ? 0 : position}`);
    });
  }
  return found;
}

const DONE = new WeakMap();

/** The operation and its settings, as a number; of many nodes the settings are one Map. */
function does(node) {
  if (!DONE.has(node.own)) {
    const own = [...node.own].filter(([key]) => key !== "over");
    const over = [...(node.own.get("over") ?? [])].sort(byCode);
    const text = repr(leveled([own.sort(([a], [b]) => byCode(a, b)), over]));
    DONE.set(node.own, numbered(`${node.op} ${text}`));
  }
  return DONE.get(node.own);
}

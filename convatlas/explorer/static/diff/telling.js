// A node of a graph in the words that steps are told in: convatlas/anatomy/telling.py.

import { byCode, equal, text } from "./python.js";

export const VALUES = new Set(["parameter", "constant"]); // nodes that only hold what others read
const KINDS = { "multiply number": "scale" };
const SIDES = [
  ["top", "bottom"],
  ["left", "right"],
];
const SHUFFLE = /^channel shuffle, (\d+) groups$/;
const VAGUE = ["elements", "another order"]; // words for a movement that stand for several

/** [kind, own]: the kind of step that a node is, and its settings. */
export function told(graph, node) {
  const kind = KINDS[node.op] ?? node.op;
  let own = new Map(node.own);
  // of a sum, which has no order; of a norm it is a word
  if (Array.isArray(own.get("over"))) own.set("over", own.get("over").toSorted(byCode));
  if (node.op === "rearrange") return movement(own);
  if (node.op === "multiply number" || node.op === "add number") {
    return [kind, new Map([["other", own.get("number")]])];
  }
  if (own.has("kernel")) {
    for (const key of ["stride", "dilation"]) if (own.has(key)) own.set(key, short(own.get(key)));
    own.set("padding", padding(own.get("padding")));
  }
  if (node.op === "pad") own = new Map([["what", `pad ${sides(own.get("padding"))}`], ...own]);
  if (["conv", "transposed conv", "linear"].includes(node.op)) own = channels(graph, node, own);
  const values = node.reads.map((read) => graph.nodes[read]).filter((n) => n.op === "constant");
  values.forEach((value, i) => {
    own.set(`constant ${i + 1}`, value.own.get("value") ?? value.own.get("content") ?? null);
  });
  return [kind, own];
}

function movement(own) {
  const what = text(own.get("what"));
  const groups = SHUFFLE.exec(what);
  if (groups) return ["channel shuffle", new Map([["groups", Number(groups[1])]])];
  return ["rearrange", VAGUE.some((word) => what.includes(word)) ? own : new Map([["what", what]])];
}

function channels(graph, node, own) {
  const width = graph.nodes[node.reads[0]].output[0] ?? 1;
  const told = new Map([...own].filter(([key]) => key !== "groups" && key !== "bias"));
  told.set("channels", node.output[0] ?? 1);
  if (own.has("groups")) {
    const depthwise = own.get("groups") === width && width !== 1;
    told.set("groups", depthwise ? "depthwise" : own.get("groups"));
  }
  return told.set("bias", own.get("bias"));
}

/** [2, 2] -> [2]: the same on all axes. */
const short = (values) => (new Set(values).size === 1 ? values.slice(0, 1) : values);

/** [[1, 1], [1, 1]] -> [1]; in words where the two sides of an axis differ. */
function padding(pairs) {
  if (pairs.every(([before, after]) => equal(before, after))) {
    return short(pairs.map(([before]) => before));
  }
  return sides(pairs);
}

/** "right 1 bottom 1" */
function sides(pairs) {
  const deeper = Array(Math.max(0, pairs.length - 2)).fill(["channels before", "channels after"]);
  const names = [...deeper, ...SIDES].slice(-pairs.length);
  return pairs
    .flatMap((pair, axis) => pair.map((count, i) => (count ? `${names[axis][i]} ${count}` : "")))
    .filter(Boolean)
    .join(" ");
}

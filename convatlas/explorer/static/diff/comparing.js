// What sets two networks apart: only the differences, each with its cost in parameters and
// multiply-adds: convatlas/anatomy/comparing.py, for walks that the atlas stores.

import { align } from "./aligning.js";
import { anchors } from "./anchoring.js";
import { change } from "./difference.js";
import { folded } from "./gathering.js";
import { forward, match } from "./matching.js";
import { grouped, sameSteps } from "./pairing.js";
import { by, sum } from "./python.js";
import { Wires } from "./rewired.js";
import { alone, sides, Unit } from "./units.js";

/** How walk `b` differs from walk `a`: {a, b, blocks, same}. */
export function compare(a, b) {
  const same = match(a.graph, b.graph);
  const matches = same
    ? grouped(a, b, sameSteps(a, b, same))
    : align(a, b, anchors(a.graph, b.graph));
  const pairs = matches.flatMap((each) => each.pairs);
  const wires = new Wires(a, b, pairs);
  let blocks = folded(blocksOf(matches, wires));
  if (!same) {
    if (`${a.size}` !== `${b.size}`) blocks = ofAnotherImage(a, b, blocks);
    blocks.push(...answers(wires));
    const silent = (each) => each.group === "training";
    if (blocks.every((block) => block.changes.every(silent))) blocks.push(otherwise(a, b));
  }
  return { a: sideOf(a), b: sideOf(b), blocks, same: same !== null };
}

function sideOf(walk) {
  const { kind, size, params, macs } = walk;
  return { name: kind, input_size: size, params, macs };
}

/** All that follows from maps of another size is one line, and costs what it costs. */
function ofAnotherImage(a, b, blocks) {
  // a step that is the same, on a map of another size
  const isMap = (each) => each.follows && !each.params;
  const macs = sum(blocks.flatMap((block) => block.changes.filter(isMap)).map((each) => each.macs));
  const kept = blocks
    .map(({ places, changes }) => ({ places, changes: changes.filter((each) => !isMap(each)) }))
    .filter((block) => block.changes.length);
  const image = change("", "image", by(a.size), by(b.size), 0, macs);
  return [{ places: [["input", "input"]], changes: [image] }, ...kept];
}

function answers(wires) {
  const said = wires.answers();
  return said ? [{ places: [["output", "output"]], changes: [change("", ...said, 0, 0)] }] : [];
}

/** Every step has a counterpart that reads the same, and yet the graphs are two: said, with the
 * first place from which they part. */
function otherwise(a, b) {
  const ahead = new Set(forward(b.graph));
  const keys = forward(a.graph);
  const parts = a.steps.find((step) => !step.trains && !ahead.has(keys[step.node]));
  const { kind, name } = parts ?? { kind: "answer", name: "" };
  const more = { paths: [name] };
  const changes = [change("", "wiring", `${kind} as it is`, "otherwise", 0, 0, more)];
  return { places: [[name, name]], changes };
}

function blocksOf(matches, wires) {
  return matches
    .map((each) => ({
      places: [[each.a, each.b]],
      changes:
        each.a === null || each.b === null
          ? [alone("", ...sides(each.pairs))]
          : new Unit(each, wires).changes(),
    }))
    .filter((block) => block.changes.length);
}

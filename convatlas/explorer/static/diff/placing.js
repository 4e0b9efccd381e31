// Blocks of two networks that have no names in common, in pairs by their place:
// convatlas/anatomy/placing.py.

import { best, woven } from "./pairing.js";
import { shared, stagesOf, unitsOf } from "./parts.js";

/** The units of stages that are stacks of units, and other stages as they are. */
export function blocksOf(walk) {
  return stagesOf(walk).flatMap((stage) => {
    const units = walk.habits.stacks.has(stage.path) ? unitsOf(stage) : [stage];
    const heavy = (unit) => unit.steps.filter((step) => step.weighs).length;
    return units.some((unit) => heavy(unit) > 1) ? units : [stage];
  });
}

/** Blocks that answer to each other, in the order of both; null for the side that has nothing. */
export function byPlace(a, b) {
  const sides = [placesOf(a), placesOf(b)];
  return woven(...sides, best(...sides, affinity)).map(([left, right]) => [
    left && left.block,
    right && right.block,
  ]);
}

/** Blocks, and how often the map has been halved that each reads, and gives out. */
function placesOf(walk) {
  let shape = walk.size;
  return blocksOf(walk).map((block) => {
    const end = block.steps.findLast((step) => step.output.length)?.output ?? shape;
    const place = {
      block,
      before: halvings(walk, shape),
      after: halvings(walk, end),
      widens: end[0] !== shape[0], // it gives out other channels than it reads
      heavy: block.steps.some((step) => step.weighs),
    };
    shape = end;
    return place;
  });
}

/** 56x56 of an image of 224x224: 2 */
function halvings(walk, shape) {
  if (shape.length < 3 || walk.size.length < 3) return null;
  return Math.round(Math.log2(walk.size.at(-1) / Math.max(shape.at(-1), 1)));
}

/** How much speaks for comparing two blocks; 0: nothing. */
function affinity(a, b) {
  if (a.after !== b.after || !(a.heavy && b.heavy)) {
    const kinds = [...a.block.kinds].some((kind) => b.block.kinds.has(kind));
    return Number(a.after === b.after && !a.heavy && !b.heavy && kinds);
  }
  return (
    1 +
    Number(a.before === b.before) +
    0.5 * Number(a.widens === b.widens) +
    2 * shared(a.block.bags[1], b.block.bags[1])
  );
}

// Changes that are the same at several places, told once: convatlas/anatomy/gathering.py. A block is
// {places, changes}: [path in a, path in b], null where one has nothing, and what differs there.

import { keyOf, restOfKey } from "./difference.js";
import { listOf, sum } from "./python.js";
import { numbers, ranges } from "./wording.js";

const EVERYWHERE = new Set(["activation", "normalisation", "training"]); // told apart from units

/** The same change of several steps of a unit is told once. */
export function merged(changes) {
  const same = new Map();
  for (const each of changes) {
    const key = JSON.stringify([each.what, each.a, each.b, each.steps, each.group]);
    listOf(same, key).push(each);
  }
  return [...same.values()].map((group) => ({
    ...total(group),
    inside: ranges(group.map((each) => each.inside)).join(", "),
  }));
}

/** Blocks with the same changes become one, where the first of them was. */
export function folded(blocks) {
  const found = new Map();
  for (const block of spread(blocks)) {
    const oneSided = block.places[0].map((path) => path === null);
    listOf(found, JSON.stringify([oneSided, block.changes.map(keyOf)])).push(block);
  }
  return [...found.values()].map((same) => ({
    places: same.flatMap((block) => block.places),
    changes: same[0].changes.map((_, i) => total(same.map((block) => block.changes[i]))),
  }));
}

function total(same) {
  const of = {
    ...same[0],
    params: sum(same.map((each) => each.params)),
    macs: sum(same.map((each) => each.macs)),
    times: sum(same.map((each) => each.times)),
    paths: [...new Set(same.flatMap((each) => each.paths))],
  };
  if (!of.values.length) return of;
  const values = [0, 1].map((side) => same.flatMap((each) => each.values[side]));
  return { ...of, values, a: numbers(values[0]), b: numbers(values[1]) };
}

/** Takes out what is the same at several places of a unit, or of units that differ in other things,
 * too: a block for each. */
function spread(blocks) {
  const plain = new Map();
  for (const block of blocks) {
    for (const each of block.changes.filter(isPlain)) {
      listOf(plain, JSON.stringify(restOfKey(each))).push([block, each]);
    }
  }
  const apart = [...plain.values()].filter(isEverywhere);
  const taken = new Set(apart.flatMap((found) => found.map(([, each]) => each)));
  const rest = blocks
    .map(({ places, changes }) => ({ places, changes: changes.filter((one) => !taken.has(one)) }))
    .filter((block) => block.changes.length);
  return [...rest, ...apart.map(ofAll)];
}

function isEverywhere(found) {
  const insides = new Set(found.map(([, each]) => each.inside));
  const others = new Set(found.map(([block]) => JSON.stringify(block.changes.map(keyOf))));
  return insides.size > 1 || (others.size > 1 && EVERYWHERE.has(found[0][1].group));
}

function ofAll(found) {
  const places = new Map(found.map(([{ places: [first] }]) => [JSON.stringify(first), first]));
  const insides = new Set(found.map(([, each]) => each.inside));
  const inside = insides.size === 1 ? [...insides][0] : "";
  return {
    places: [...places.values()],
    changes: [{ ...total(found.map(([, each]) => each)), inside }],
  };
}

function isPlain(each) {
  const forms = new Set([each.a, each.b]);
  if (forms.size === 2 && forms.has("bias") && forms.has("no bias")) return true;
  if (each.params || each.macs || each.follows) return false;
  return EVERYWHERE.has(each.group) || (Boolean(each.what) && !each.values.length);
}

// What sets two networks apart, as a record: convatlas/anatomy/difference.py.

import { ranges } from "./wording.js";

export const TOP = "top level"; // what the network does itself, between its stages

export const GROUPS = [
  ...["structure", "activation", "normalisation"],
  ...["padding", "initialisation", "training"],
];

/** One difference, in all places of its block; `params` and `macs` are b's minus a's. */
export function change(inside, what, a, b, params, macs, more = {}) {
  return {
    ...{ inside, what, a, b, params, macs },
    times: 1,
    steps: [], // all of them, where one network has them alone
    values: [], // a's and b's numbers, one a step: what it reads, its map
    group: "structure",
    paths: [], // of the modules it is about, b's where a has none
    follows: false, // the step is the same, on what other changes have made of its input
    ...more,
  };
}

/** Changes of equal key are the same difference; where they have values, those do not matter. */
export function keyOf(change) {
  return JSON.stringify([change.inside, ...restOfKey(change)]);
}

export const restOfKey = (change) => [
  change.what,
  change.values.length
    ? change.values.map((side) => side.length > 0)
    : [change.a, change.b, change.steps],
];

/** The places of a block in a and in b, in short: "conv3_x.1-3", "conv3_x.0, conv4_x.0". */
export function whereIs(block) {
  return [0, 1].map((side) => {
    const paths = block.places.map((place) => place[side]).filter((path) => path !== null);
    return ranges(paths.map((path) => path || TOP)).join(", ");
  });
}

const KEPT = ["group", "inside", "what", "a", "b", "steps", "times", "params", "macs"];

/** The difference as `convatlas diff A B --json` prints it; `summary` of difference_words.js. */
export function toRecord(found, summary) {
  return {
    ...{ a: found.a, b: found.b, same: found.same, summary },
    params: found.b.params - found.a.params,
    macs: found.b.macs - found.a.macs,
    layers: found.blocks.map((block) => ({
      places: block.places.map(([a, b]) => ({ a, b })),
      changes: block.changes.map((each) =>
        Object.fromEntries(KEPT.map((key) => [key, each[key]])),
      ),
    })),
  };
}

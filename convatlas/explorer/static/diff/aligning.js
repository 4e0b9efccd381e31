// Which step of one network answers to which of another: stage by stage, unit by unit, step by
// step: convatlas/anatomy/aligning.py.

import { best, grouped, inOrder, Kin, rejoined, stepAffinity, woven } from "./pairing.js";
import { Part, shared, stagesOf, unitsOf, within } from "./parts.js";
import { byPlace } from "./placing.js";
import { equal, parted } from "./python.js";

const ALIKE = 0.55; // likeness from which parts of different names are compared
const OTHER = 0.5; // with less layers that have a like counterpart, networks share only places
const DEARER = 1.25; // what blocks compared by their places may leave more than single steps
const NOTHING = new Part("", []);

/** All steps of both, matched. `known` are the places of nodes that answer to each other whatever
 * they are called. Networks whose stages and units are cut otherwise are compared step by step,
 * where more of them agrees that way. */
export function align(a, b, known) {
  const kin = new Kin(a, b, known);
  const staged = rejoined(byStages(a, b, kin), kin);
  const torn = !shareNames(a, b) && staged.some((match) => match.a?.includes(", "));
  if (!torn && !leftOver(staged).every(Boolean)) return staged;
  const flat = rejoined(grouped(a, b, inOrder(a, b, kin)), kin);
  const costs = [costOf(flat), costOf(staged)];
  const better = torn ? costs[0] <= costs[1] : costs[0] < trust(a, b) * costs[1];
  const closest = better ? flat : staged;
  const placed = areOthers(a, b, closest) ? ofPlaces(a, b, kin) : closest;
  return costOf(placed) <= DEARER * costOf(closest) ? placed : closest;
}

/** Networks of two papers, on images of one size: neither names tell what answers to what, nor have
 * layers counterparts of their own window and width. */
function areOthers(a, b, closest) {
  if (!equal(a.size.slice(1), b.size.slice(1)) || shareNames(a, b)) return false;
  const pairs = closest.flatMap((match) => match.pairs);
  const same = pairs.filter(([x, y]) => x && y && ofOneForm(x, y)).length;
  return same < OTHER * Math.min(...[a, b].map((walk) => weighing(walk).length));
}

const weighing = (walk) => walk.steps.filter((step) => step.weighs);

function ofOneForm(a, b) {
  const form = (step) => [step.kind, step.kernel, step.own.get("channels"), step.own.get("groups")];
  return a.weighs && b.weighs && equal(form(a), form(b));
}

/** Block by block, as they come between one halving of the map and the next. */
function ofPlaces(a, b, kin) {
  const affinity = (one, other) => {
    const groups = [one, other].map(({ step }) => step.own.get("groups"));
    // a depthwise convolution answers to one, whatever its window
    return stepAffinity(one, other, kin) + Number(groups.every((each) => each === "depthwise"));
  };
  const matches = byPlace(a, b).map(([x, y]) => ({
    a: x ? x.path : null,
    b: y ? y.path : null,
    pairs: stepPairs(x ?? NOTHING, y ?? NOTHING, affinity),
  }));
  return rejoined(matches, kin);
}

/** Half of the layers of the smaller network are in both. */
function shareNames(a, b) {
  const names = [a, b].map((walk) => new Set(weighing(walk).map((step) => step.name)));
  const both = [...names[0]].filter((name) => names[1].has(name)).length;
  return 2 * both >= Math.min(names[0].size, names[1].size);
}

/** How much better an alignment must be than one by stages. */
const trust = (a, b) => (shareNames(a, b) ? 0.5 : 0.85);

/** Steps with weights of either side that have no counterpart. */
function leftOver(matches) {
  const pairs = matches.flatMap((match) => match.pairs);
  return [
    pairs.filter(([a, b]) => !b && a.weighs).length,
    pairs.filter(([a, b]) => !a && b.weighs).length,
  ];
}

/** How much is left without a counterpart or differs from it; a layer with weights is dear. */
function costOf(matches) {
  let cost = 0;
  for (const [a, b] of matches.flatMap((match) => match.pairs)) {
    if (a && b) cost += Number(a.like !== b.like);
    else if (!(a ?? b).trains) cost += (a ?? b).weighs ? 2 : 0.75;
  }
  return cost;
}

function byStages(a, b, kin) {
  const matches = [];
  for (const [left, right] of runs(stagesOf(a), stagesOf(b))) {
    const stacks =
      left.every((part) => a.habits.stacks.has(part.path)) &&
      right.every((part) => b.habits.stacks.has(part.path));
    if (left.length <= 1 && right.length <= 1 && stacks) {
      const units = [left, right].map((run) => run.flatMap(unitsOf));
      for (const pair of runs(...units)) matches.push(...matched(...pair, kin));
    } else {
      matches.push(...matched(left, right, kin));
    }
  }
  return matches;
}

/** Both lists cut into runs that belong together: one and one where parts match, else whatever lies
 * between. */
function runs(a, b) {
  const found = [];
  let [i, j] = [0, 0];
  const pairs = best(a, b, affinityOf);
  for (const [k, m] of [...pairs, [a.length, b.length]]) {
    if (i < k || j < m) found.push([a.slice(i, k), b.slice(j, m)]);
    if (k < a.length) found.push([[a[k]], [b[m]]]);
    [i, j] = [k + 1, m + 1];
  }
  return found;
}

function matched(left, right, kin) {
  if (left.length === 1 && right.length === 1) {
    const affinity = (one, other) => stepAffinity(one, other, kin);
    const pairs = stepPairs(left[0], right[0], affinity);
    return [{ a: left[0].path, b: right[0].path, pairs }];
  }
  if (left.length && right.length) {
    const steps = [left, right].map((side) => side.flatMap((part) => part.steps));
    const paths = [left, right].map((side) => side.map((part) => part.path).join(", "));
    if (equalSteps(...steps)) return [{ a: paths[0], b: paths[1], pairs: sameEnds(...steps) }];
  }
  return [
    ...left.map(({ path, steps }) => ({ a: path, b: null, pairs: steps.map((s) => [s, null]) })),
    ...right.map(({ path, steps }) => ({ a: null, b: path, pairs: steps.map((s) => [null, s]) })),
  ];
}

/** How much speaks for comparing two stages or units; 0: nothing. */
function affinityOf(a, b) {
  const alike = (shared(a.bags[0], b.bags[0]) + shared(a.bags[1], b.bags[1])) / 2;
  if (a.name === b.name && [...a.kinds].some((kind) => b.kinds.has(kind))) {
    return alike + (/^\d+$/.test(a.name) ? 0.25 : 1); // a number tells the place, not what is there
  }
  return alike >= ALIKE ? alike * (a.steps.at(-1).map === b.steps.at(-1).map ? 1 : 0.5) : 0;
}

function stepPairs(a, b, affinity) {
  const sides = [a, b].map((part) =>
    part.steps.map((step) => {
      const name = within(step.name, part.path);
      return { step, name, last: parted(name)[1] };
    }),
  );
  return woven(a.steps, b.steps, best(...sides, affinity));
}

/** The steps that both begin and end with are pairs; those between have no counterpart. */
function sameEnds(a, b) {
  const front = equalSteps(a, b);
  let back = equalSteps(a.slice(front).reverse(), b.slice(front).reverse());
  if (!a.slice(a.length - back).some((step) => step.weighs)) back = 0; // a join is no reason
  const ends = [a.length - back, b.length - back];
  return [
    ...a.slice(0, front).map((step, i) => [step, b[i]]),
    ...a.slice(front, ends[0]).map((step) => [step, null]),
    ...b.slice(front, ends[1]).map((step) => [null, step]),
    ...a.slice(ends[0]).map((step, i) => [step, b[ends[1] + i]]),
  ];
}

/** How many steps are alike from the start on. */
function equalSteps(a, b) {
  const most = Math.min(a.length, b.length);
  for (let i = 0; i < most; i++) if (a[i].like !== b[i].like) return i;
  return most;
}

// Steps of two networks in pairs: by all that is known of them, whatever their modules are called:
// convatlas/anatomy/pairing.py. A match is {a, b, pairs}: two paths, null where a side has nothing,
// and [step of a, step of b], null where there is none.

import { COMMUTATIVE } from "./graph.js";
import { unitOf } from "./parts.js";
import { equal, listOf, parted } from "./python.js";
import { TRAINING } from "./steps.js";

/** Which steps are known to answer to each other: by their nodes, and what only trains by its place
 * behind these. */
export class Kin {
  constructor(a, b, known) {
    this.walks = [a, b];
    this.partners = new Map();
    this.agreements = new Map(); // see agreement
    const there = byNode(b);
    for (const step of a.steps) {
      const other = step.trains ? undefined : there.get(known.get(step.node));
      if (other) this.partners.set(step, other);
    }
    const ends = [training(a, known), training(b, null)];
    for (const [i, j] of best(...ends, trainingAffinity)) {
      const [[one, place], [other, thereToo]] = [ends[0][i], ends[1][j]];
      const alike = one.kind === TRAINING ? one.params === other.params : place === thereToo;
      if (one.kind === other.kind && alike) this.partners.set(one, other);
    }
  }

  /** Places of the nodes that a step of a (0) or b (1) reads. */
  reads(side, step) {
    return this.walks[side].graph.nodes[step.node].reads;
  }

  are(a, b) {
    return this.partners.get(a) === b;
  }
}

function byNode(walk) {
  return new Map(walk.steps.filter((step) => !step.trains).map((step) => [step.node, step]));
}

/** With steps paired that were left alone: those that are known to answer to each other, layers that
 * are the same under one name, and steps of one family that read what is a pair already. */
export function rejoined(matches, kin) {
  const pairs = matches.flatMap((match) => match.pairs);
  const lone = new Set(pairs.filter(([a]) => !a).map(([, b]) => b));
  const called = (step) => `${step.name} ${step.like}`;
  const weighing = [...lone].filter((b) => b.weighs);
  const named = new Map(weighing.map((b) => [called(b), b]));
  const found = new Map();
  for (const [a, b] of pairs) {
    if (!a || b) continue;
    const partner = kin.partners.get(a) ?? named.get(called(a));
    if (partner && lone.delete(partner)) found.set(a, partner);
  }
  byReading(pairs, found, lone, kin).forEach((b, a) => found.set(a, b));
  const gone = new Set(found.values());
  const joined = matches.map((match) => ({
    ...match,
    pairs: match.pairs
      .filter(([a, b]) => a || !gone.has(b))
      .map(([a, b]) => [a, b ?? found.get(a) ?? null]),
  }));
  return joined.filter((match) => match.pairs.length).map(both);
}

/** Steps that nothing has been found for, with those of their family that follow the same. */
function byReading(pairs, found, lone, kin) {
  const partner = new Map();
  for (const [a, b] of pairs) if (a && b) partner.set(a.node, b.node);
  for (const [a] of pairs) if (a && found.has(a)) partner.set(a.node, found.get(a).node);
  const waiting = new Map();
  for (const b of lone) {
    if (!b.trains && kin.reads(1, b).length) listOf(waiting, kin.reads(1, b)[0]).push(b);
  }
  const more = new Map();
  for (const [a, b] of pairs) {
    if (!a || b || found.has(a) || a.trains || !kin.reads(0, a).length) continue;
    const others = waiting.get(partner.get(kin.reads(0, a)[0])) ?? [];
    const same = others.findIndex((other) => mayBe(a, other));
    if (same >= 0) {
      const [other] = others.splice(same, 1);
      more.set(a, other);
      partner.set(a.node, other.node);
    }
  }
  return more;
}

/** Layers with weights of one kind that have one window, or give out as many channels. */
function heavyAlike(a, b) {
  return a.kind === b.kind && (a.window === b.window || a.channels === b.channels);
}

/** Whether two steps that read the same may answer to each other. */
function mayBe(a, b) {
  return a.weighs ? heavyAlike(a, b) : a.family === b.family;
}

/** A match that has got a counterpart for its only side. */
function both(match) {
  const steps = match.pairs.map(([, b]) => b).filter(Boolean);
  if (match.b !== null || !steps.length) return match;
  const units = new Set(steps.map((b) => parted(b.name)[0] || b.name));
  return { ...match, b: [...units].join(", ") };
}

/** The steps of both paired in the order of their graphs, whatever they are called: first those with
 * weights, then what lies between them. */
export function inOrder(a, b, kin) {
  const score = (x, y) =>
    affinityOf(x, y, x.name === y.name, x.last === y.last, kin) + (x.map === y.map ? 1 : 0);
  const heavyScore = (x, y) => (heavyAlike(x, y) ? score(x, y) : 0);
  const lightScore = (x, y) => (x.weighs || y.weighs ? 0 : score(x, y));
  const sides = [byGraph(a), byGraph(b)];
  const heavy = sides.map((steps) => steps.flatMap((step, i) => (step.weighs ? [i] : [])));
  const layers = heavy.map((places, side) => places.map((i) => sides[side][i]));
  const found = best(...layers, heavyScore).map(([i, j]) => [heavy[0][i], heavy[1][j]]);
  const pairs = [];
  let [i, j] = [0, 0];
  for (const [k, m] of [...found, [sides[0].length, sides[1].length]]) {
    const [left, right] = [sides[0].slice(i, k), sides[1].slice(j, m)];
    pairs.push(...woven(left, right, best(left, right, lightScore)));
    if (k < sides[0].length) pairs.push([sides[0][k], sides[1][m]]);
    [i, j] = [k + 1, m + 1];
  }
  return pairs;
}

/** The steps in an order that depends on the graph alone: of branches the deepest comes first, in
 * whatever order they ran. */
function byGraph(walk) {
  const { nodes, outputs } = walk.graph;
  const depth = [];
  for (const node of nodes) depth.push(1 + Math.max(0, ...node.reads.map((each) => depth[each])));
  const rank = new Map();
  const waiting = outputs.toReversed();
  while (waiting.length) {
    const place = waiting.at(-1);
    const left = nodes[place].reads.filter((each) => !rank.has(each));
    if (left.length && !rank.has(place)) {
      if (COMMUTATIVE.has(nodes[place].op)) left.sort((x, y) => depth[x] - depth[y]);
      else left.reverse();
      waiting.push(...left);
      continue;
    }
    waiting.pop();
    if (!rank.has(place)) rank.set(place, rank.size);
  }
  return ranked(walk.steps, rank);
}

/** By rank; what only trains stays behind the step before it. */
function ranked(steps, rank) {
  let before = -1;
  const keyed = steps.map((step, i) => {
    before = step.trains ? before : (rank.get(step.node) ?? before);
    return [step.kind === TRAINING ? rank.size : before, i, step];
  });
  return keyed.sort((x, y) => x[0] - y[0] || x[1] - y[1]).map(([, , step]) => step);
}

export function woven(a, b, found) {
  const pairs = [];
  let [i, j] = [0, 0];
  for (const [k, m] of [...found, [a.length, b.length]]) {
    a.slice(i, k).forEach((step) => pairs.push([step, null]));
    b.slice(j, m).forEach((step) => pairs.push([null, step]));
    if (k < a.length) pairs.push([a[k], b[m]]);
    [i, j] = [k + 1, m + 1];
  }
  return pairs;
}

/** The steps of two networks whose graphs match, by the places of their nodes; what only trains is
 * paired in order. */
export function sameSteps(a, b, nodes) {
  const there = byNode(b);
  const ends = [training(a, nodes), training(b, null)];
  const found = best(...ends, trainingAffinity);
  const partner = new Map(found.map(([i, j]) => [ends[0][i][0], ends[1][j][0]]));
  const paired = new Set(partner.values());
  const pairs = a.steps.map((step) => [
    step,
    (step.trains ? partner.get(step) : there.get(nodes.get(step.node))) ?? null,
  ]);
  const rest = ends[1].filter(([step]) => !paired.has(step));
  return [...pairs, ...rest.map(([step]) => [null, step])];
}

/** What only trains, each with the node before it, as b counts them. */
function training(walk, nodes) {
  const found = [];
  let before = null;
  for (const step of walk.steps) {
    if (step.trains) found.push([step, before]);
    else before = nodes === null ? step.node : (nodes.get(step.node) ?? -1);
  }
  return found;
}

function trainingAffinity([a, placeA], [b, placeB]) {
  if ((a.kind === TRAINING) !== (b.kind === TRAINING)) return 0;
  if (a.kind === TRAINING) return a.params === b.params ? 3 : 1;
  return 1 + 2 * Number(placeA === placeB) + Number(a.like === b.like);
}

/** Pairs by the unit of `a` that they are in, or of `b` where that has no counterpart. */
export function grouped(a, b, pairs) {
  const units = [unitOf(a), unitOf(b)];
  const meets = new Map();
  for (const [one, other] of pairs) {
    if (!one || !other) continue;
    const [home, there] = [units[0].get(one), units[1].get(other)];
    if (!meets.has(there)) meets.set(there, new Map());
    meets.get(there).set(home, (meets.get(there).get(home) ?? 0) + 1);
  }
  const found = new Map();
  for (const [one, other] of pairs) {
    const homes = other && meets.get(units[1].get(other));
    const unit = one ? units[0].get(one) : homes ? mostCommon(homes) : null;
    const alone = unit === null ? units[1].get(other) : null;
    const key = JSON.stringify([unit, alone]);
    if (!found.has(key)) found.set(key, { a: unit, b: alone, pairs: [] });
    found.get(key).pairs.push([one, other]);
  }
  return [...found.values()].map((match) => ({
    ...match,
    b: match.a === null ? match.b : pathOf(match.pairs, units[1]),
  }));
}

function mostCommon(counts) {
  return [...counts].reduce((most, each) => (each[1] > most[1] ? each : most))[0];
}

/** The units of b that the pairs are in; null where it has nothing there. */
function pathOf(pairs, units) {
  const paths = new Set(pairs.flatMap(([, b]) => (b ? [units.get(b)] : [])));
  return paths.size ? [...paths].filter(Boolean).join(", ") : null;
}

/** How much speaks for comparing two steps, each with its path in its unit and the last word of
 * that: {step, name, last}. */
export function stepAffinity(one, other, kin) {
  const [name, last] = [one.name === other.name, one.last === other.last];
  return affinityOf(one.step, other.step, name, last, kin);
}

/** The same of steps whose names, or last words, are equal or not; 0: nothing. */
function affinityOf(a, b, sameName, sameLast, kin) {
  const named = (sameName ? 1 : sameLast ? 0.3 : 0) + (kin.are(a, b) ? 2 : 0);
  if (a.like === b.like) {
    return (a.family === "norm" || a.family === "activation" ? 1 : 3) + named; // alike everywhere
  }
  if (a.kind === b.kind) return 0.5 + agreement(a, b, kin) + named;
  return a.family === b.family ? 0.5 + named : 0;
}

/** The share of settings that agree; reckoned once for all steps of the same settings. */
function agreement(a, b, kin) {
  const own = kin.agreements.get(a.settings) ?? new Map();
  kin.agreements.set(a.settings, own);
  if (!own.has(b.settings)) {
    const keys = [...new Set([...a.own.keys(), ...b.own.keys()])];
    const same = keys.filter((key) => equal(a.own.get(key), b.own.get(key)));
    own.set(b.settings, same.length / keys.length);
  }
  return own.get(b.settings);
}

/** The pairs [i, j], in order on both sides, with the largest sum of scores; a score of 0 is no
 * pair. */
export function best(a, b, score) {
  const wide = b.length + 1;
  const scores = new Float64Array(a.length * b.length);
  const sums = new Float64Array((a.length + 1) * wide); // from i and j on
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const gain = score(a[i], b[j]);
      scores[i * b.length + j] = gain;
      const here = i * wide + j;
      sums[here] = Math.max(sums[here + wide], sums[here + 1], sums[here + wide + 1] + gain);
    }
  }
  const pairs = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    const [gain, here] = [scores[i * b.length + j], i * wide + j];
    if (gain && sums[here] === sums[here + wide + 1] + gain) pairs.push([i++, j++]);
    else if (sums[here] === sums[here + wide]) i += 1;
    else j += 1;
  }
  return pairs;
}

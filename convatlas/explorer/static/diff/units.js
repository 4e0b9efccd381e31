// The changes inside one pair of units: convatlas/anatomy/units.py.

import { change } from "./difference.js";
import { merged } from "./gathering.js";
import { within } from "./parts.js";
import { equal, Float, listOf, parted, plain, sum, thousands } from "./python.js";
import { groupOf, madeOf, numbers, unlike, what, words } from "./wording.js";

const WITH_NORM = " + norm";
const NEAR = 8; // steps from one place to another of what has only moved

/** A change of these steps: `said` are what changes, and a's and b's form of it. */
export function told(inside, said, a, b, more = {}) {
  const paths = [...new Set((a.length ? a : b).map((step) => step.name))];
  const group = more.group ?? groupOf(a, b);
  return change(inside, ...said, ...costOf(a, b), { ...more, paths, group });
}

/** Steps that one side has alone; of layers that drop the rates are numbers that fold. */
export function alone(inside, gone, fresh) {
  const steps = [...gone, ...fresh];
  if (steps.every((step) => step.own.size === 1 && step.own.has("p"))) {
    const rates = [gone, fresh].map((side) => side.map(rateOf));
    const kinds = [...new Set(steps.map((step) => step.kind))].join(" and ");
    const more = { values: rates, times: steps.length };
    return told(inside, [kinds, ...rates.map(numbers)], gone, fresh, more);
  }
  return told(inside, ["", madeOf(gone), madeOf(fresh)], gone, fresh, { steps: steps.map(String) });
}

const rateOf = (step) => [new Float(plain(step.own.get("p")))];

/** The steps of a, and those of b. */
export function sides(pairs) {
  return [0, 1].map((side) => pairs.map((pair) => pair[side]).filter(Boolean));
}

function costOf(a, b) {
  const less = (key) => sum(b.map((step) => step[key])) - sum(a.map((step) => step[key]));
  return [less("params"), less("macs")];
}

/** The changes inside one pair of units. */
export class Unit {
  constructor(match, wires) {
    Object.assign(this, { match, wires, sides: sides(match.pairs) });
    this.paths = [match.a, match.b].map(
      (unit, side) => new Map(this.sides[side].map((step) => [step, within(step.name, unit)])),
    );
    this.found = new Map(); // by the place of their first step
    this.read = []; // [place, change] of steps that read something else
    this.weights = null; // the last layer with weights, if it is among those found
  }

  changes() {
    const moved = new Map();
    for (const pair of moves(this.match)) pair.forEach((step) => moved.set(step, pair));
    const lone = [];
    this.match.pairs.forEach(([a, b], i) => {
      if (a && b) this.#pair(i, a, b);
      else if (!moved.has(a ?? b)) lone.push([i, a, b]);
      else if (a) this.found.set(i, this.#moved(...moved.get(a)));
    });
    this.#lone(lone);
    const found = [...this.found, ...this.read].sort((x, y) => x[0] - y[0]);
    return merged(found.map(([, each]) => each));
  }

  #pair(i, a, b) {
    const differ = a.kind !== b.kind || unlike(a, b).length > 0;
    let [params, macs] = costOf([a], [b]);
    if (a.family === "norm" && this.weights !== null) {
      this.#charge(params, macs);
      [params, macs] = [0, 0];
    }
    if (differ || params || macs) {
      const found = (differ ? ownChange : followUp)(this.#inside(a, 0), a, b);
      this.found.set(i, { ...found, params, macs });
    }
    const said = this.wires.told(a, b);
    if (said) {
      const found = told(this.#inside(a, 0), said, [a], [b], { group: "structure" });
      this.read.push([i, { ...found, params: 0, macs: 0 }]);
    }
    if (a.weighs || b.weighs) this.weights = a.like !== b.like ? i : null;
  }

  /** A norm has as many channels as the layer before it, whose change it follows. */
  #charge(params, macs) {
    if (!params && !macs) return;
    const before = this.found.get(this.weights);
    const step = before.what.endsWith(WITH_NORM) ? before.what : before.what + WITH_NORM;
    const costs = { params: before.params + params, macs: before.macs + macs };
    this.found.set(this.weights, { ...before, what: step, ...costs });
  }

  #moved(a, b) {
    const said = [`order of ${b}`, behind(a, this.sides[0]), behind(b, this.sides[1])];
    const group = a.trains ? "training" : "structure";
    return told(this.#inside(a, 0), said, [a], [b], { group });
  }

  /** Steps that one side has alone: a line for each module that does nothing else, and for each
   * other step. */
  #lone(lone) {
    const known = [1, 2].map((side) => new Set(lone.map((entry) => entry[side]).filter(Boolean)));
    const groups = new Map();
    for (const [i, a, b] of lone) {
      const side = a ? 0 : 1;
      const home = this.#home(a ?? b, side, known[side]);
      const key = home === null ? JSON.stringify([side, i]) : `in ${home}`;
      if (!groups.has(key)) groups.set(key, { home, side, entries: [] });
      groups.get(key).entries.push([i, a, b]);
    }
    for (const { home, side, entries } of groups.values()) {
      const [gone, fresh] = sides(entries.map(([, ...pair]) => pair));
      const inside = home ?? this.#inside((gone.length ? gone : fresh)[0], side);
      this.found.set(entries[0][0], alone(inside, gone, fresh));
    }
  }

  /** The outermost module inside the unit that runs lone steps only, or works itself only on them. */
  #home(step, side, lone) {
    const names = this.paths[side].get(step).split(".");
    for (let depth = 1; depth <= names.length; depth++) {
      const module = names.slice(0, depth).join(".");
      const under = this.#under(side);
      const own = under.at.get(module) ?? [];
      const every = under.in.get(module) ?? [];
      if (module && (own.length ? own : every).every((other) => lone.has(other))) return module;
    }
    return null;
  }

  /** The steps of a side by their module, and by every module around them. */
  #under(side) {
    this.modules ??= [];
    if (!this.modules[side]) {
      const found = { at: new Map(), in: new Map() };
      for (const [step, path] of this.paths[side]) {
        listOf(found.at, path).push(step);
        const words = path.split(".");
        words.forEach((_, i) => listOf(found.in, words.slice(0, i + 1).join(".")).push(step));
      }
      this.modules[side] = found;
    }
    return this.modules[side];
  }

  /** Where the step is; of a module with one convolution or linear layer, its path stands for that
   * layer's. */
  #inside(step, side) {
    const path = this.paths[side].get(step) ?? within(step.name, [this.match.a, this.match.b][side]);
    const parent = parted(path)[0];
    if (!step.weighs) return path;
    const near = (parent ? this.#under(side).in.get(parent) : this.sides[side]) ?? [];
    return near.filter((other) => other.weighs).length === 1 ? parent : path;
  }
}

/** Steps that both have, in one module, but at another place in its order. */
function* moves(match) {
  const pairs = [...match.pairs];
  const inside = new Set(sides(pairs)[1].map((b) => within(b.name, match.b)));
  for (let i = 0; i < pairs.length; i++) {
    const [a, b] = pairs[i];
    if (!a || b) continue;
    for (let j = Math.max(0, i - NEAR); j < Math.min(pairs.length, i + NEAR + 1); j++) {
      const [gone, other] = pairs[j];
      if (!gone && other.like === a.like && mayBe(a, other, match, inside)) {
        pairs[j] = [other, other];
        yield [a, other];
        break;
      }
    }
  }
}

/** Both in one module; or b's modules are called otherwise, and nothing can be said. */
function mayBe(a, b, match, inside) {
  const path = within(a.name, match.a);
  if (parted(within(b.name, match.b))[0] === parted(path)[0]) return true;
  return !inside.has(path) && a.params === b.params && equal(a.output, b.output);
}

function behind(step, steps) {
  const place = steps.indexOf(step);
  return place ? `after ${steps[place - 1]}` : "first";
}

/** A step with other settings. Rates of dropping, which grow from unit to unit, are numbers that
 * fold. */
function ownChange(inside, a, b) {
  const found = told(inside, [what(a, b), ...words(a, b)], [a], [b]);
  const keys = a.kind === b.kind ? unlike(a, b) : [];
  if (keys.length === 1 && keys[0] === "p") {
    return { ...found, values: [a, b].map((step) => [rateOf(step)]) };
  }
  return found;
}

/** A step that is the same, but on what other steps have changed. */
function followUp(inside, a, b) {
  const values =
    a.reads !== b.reads ? [[a.reads], [b.reads]] : [a.output.slice(1), b.output.slice(1)];
  const all = values.every((value) => value.length) && !equal(...values);
  const folds = all ? values.map((value) => [value]) : [];
  const texts = all ? folds.map(numbers) : [a, b].map((step) => `${thousands(step.params)} params`);
  return told(inside, [what(a, b), ...texts], [a], [b], { values: folds, follows: true });
}

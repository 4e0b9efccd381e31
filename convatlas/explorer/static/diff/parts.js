// How the modules of a network nest: convatlas/anatomy/parts.py.

import { counted, groupby, parted, repr } from "./python.js";

const QUIET = new Set(["norm", "activation"]);

/** A stage, a unit, or what the network itself does between its stages (path ""). */
export class Part {
  constructor(path, steps) {
    Object.assign(this, { path, steps, name: parted(path)[1] });
    const loud = steps.filter((step) => !QUIET.has(step.family));
    const told = loud.length ? loud : steps; // the steps that say what this is
    this.kinds = new Set(told.map((step) => step.kind));
    const shares = (key) =>
      new Map([...counted(told.map(key))].map(([of, count]) => [of, count / told.length]));
    // the steps, exactly, and by kind and kernel, as shares
    this.bags = [
      shares((step) => step.like),
      shares((step) => `${step.kind} ${repr(step.kernel)}`),
    ];
  }
}

/** What two bags have in common. */
export function shared(here, there) {
  let total = 0;
  for (const [key, share] of here) total += Math.min(share, there.get(key) ?? 0);
  return total;
}

const parts = (steps, key) => groupby(steps, key).map(([path, own]) => new Part(path, own));

export function stagesOf(walk) {
  return parts(walk.steps, (step) => {
    const words = step.name.split(".");
    let kept = 1;
    while (walk.habits.opened.has(words.slice(0, kept).join(".")) && kept < words.length) kept += 1;
    return words.slice(0, kept).join(".");
  });
}

export function unitsOf(stage) {
  const depth = stage.path.split(".").length + 1;
  return parts(stage.steps, (step) => step.name.split(".").slice(0, depth).join("."));
}

/** The path of each step's unit. */
export function unitOf(walk) {
  const found = new Map();
  for (const stage of stagesOf(walk)) {
    for (const unit of walk.habits.stacks.has(stage.path) ? unitsOf(stage) : [stage]) {
      for (const step of unit.steps) found.set(step, unit.path);
    }
  }
  return found;
}

/** The path of a module inside its unit; "" is the unit itself. */
export function within(name, unit) {
  if (name === unit) return "";
  return name.startsWith(`${unit}.`) ? name.slice(unit.length + 1) : name;
}

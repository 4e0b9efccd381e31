// Differences in words: what steps are made of, what sets two of them apart, and where many of them
// are: convatlas/anatomy/wording.py.

import { by, counted, equal, general, groupby, isFloat, order, text } from "./python.js";

export const NONE = "-"; // stands for what one network does not have
const SHORT = 8; // of so many steps each is told
const LONG = 12; // of more words than that only the layers with weights are told, by kind
const TOLD = {
  "bias False": "no bias",
  "bias True": "bias",
  "ceil False": "rounds down",
  "ceil True": "rounds up",
  "affine none": "no scale",
  "affine scale and shift": "scale",
  "affine scale": "no shift",
  "affine shift": "no scale, shift",
  "divisor inside": "padding not counted",
  "divisor window": "padding counted",
};
const PADDING = new Set(["padding", "ceil", "divisor", "output_padding"]);
const KINDS = { activation: "activation", norm: "normalisation", pad: "padding" };
const QUIET = new Set(["norm", "activation"]);

/** "3x3 conv 64 /2, batch norm, relu"; of many steps without norms and activations; NONE of none. */
export function madeOf(steps) {
  const loud = steps.filter((step) => !QUIET.has(step.family));
  const told = steps.length > SHORT && loud.length ? loud : steps;
  let runs = groupby(told.map(String)).map(([word, same]) => [word, same.length]);
  if (runs.length > LONG) {
    const heavy = told.filter((step) => step.weighs);
    runs = [...counted((heavy.length ? heavy : told).map((step) => step.kind))];
  }
  return runs.map(([word, times]) => (times === 1 ? word : `${word} (x${times})`)).join(", ") || NONE;
}

/** What both have in common: "3x3 depthwise conv", "activation". */
export function what(a, b) {
  if (a.kind !== b.kind) return a.family;
  const keys = unlike(a, b);
  if (keys.length === 1 && keys[0] === "bias") return a.kind;
  const kernel = equal(a.kernel, b.kernel) ? by(a.kernel) : "";
  const both = [a, b].every((step) => step.own.get("groups") === "depthwise");
  return [kernel, both ? "depthwise" : "", a.kind].filter(Boolean).join(" ");
}

export function words(a, b) {
  if (a.kind !== b.kind || !equal(a.own.get("what"), b.own.get("what"))) return [`${a}`, `${b}`];
  let keys = unlike(a, b);
  if (!equal(a.kernel, b.kernel) && keepsSize(a) && keepsSize(b)) {
    keys = keys.filter((key) => key !== "padding");
  }
  return [a, b].map((step) => keys.map((key) => word(key, of(step, key))).join(", "));
}

/** The settings in which two steps of one kind differ; what only matters in training last. */
export function unlike(a, b) {
  const keys = [...new Set([...a.own.keys(), ...b.own.keys()])].filter(
    (key) => !equal(of(a, key), of(b, key)),
  );
  const others = keys.filter((key) => key !== "momentum");
  const momentum = keys.length > others.length && a.own.has("momentum") && b.own.has("momentum");
  return momentum ? [...others, "momentum"] : others;
}

const of = (step, key) => (step.own.has(key) ? step.own.get(key) : NONE);

/** Which of difference.js's GROUPS a difference in these steps belongs to. */
export function groupOf(a, b) {
  const steps = [...a, ...b];
  if (steps.every((step) => step.trains)) return "training";
  if (a.length && b.length && a[0].kind === b[0].kind) {
    const keys = unlike(a[0], b[0]);
    if (keys.length === 1 && keys[0] === "momentum") return "training";
    if (keys.length && keys.every((key) => PADDING.has(key))) return "padding";
  }
  const families = new Set(steps.map((step) => step.family));
  return (families.size === 1 && KINDS[[...families][0]]) || "structure";
}

/** Padded by half the kernel. */
function keepsSize(step) {
  const half = (step.kernel ?? []).map((side) => Math.floor(side / 2));
  const padding = step.own.get("padding");
  const short = new Set(half).size === 1 ? half.slice(0, 1) : half;
  return equal(padding, half) || equal(padding, short);
}

function word(key, setting) {
  let value = text(setting);
  if (`${key} ${value}` in TOLD) return TOLD[`${key} ${value}`];
  if (Array.isArray(setting)) {
    value = setting.some((each) => typeof each === "string") ? setting.join(", ") : by(setting);
  } else if (isFloat(setting)) {
    value = general(setting, 6);
  }
  if (key === "groups") {
    return value === "depthwise" ? value : `${value} group${setting === 1 ? "" : "s"}`;
  }
  const said = {
    kernel: value,
    channels: `${value} channels`,
    work: value,
    other: `by ${value}`,
    momentum: `in training momentum ${value}`,
  };
  return said[key] ?? `${key.replaceAll("_", " ")} ${value}`;
}

/** "reads 64 to 256", "28x28 to 7x7 maps", "p 0.1 to 0.2"; NONE of no values. */
export function numbers(values) {
  if (!values.length) return NONE;
  const sorted = values.toSorted(order);
  const ends = [sorted[0], sorted.at(-1)];
  const joined = (told) => [...new Set(told)].join(" to ");
  if (isFloat(values[0][0])) return `p ${joined(ends.map(([p]) => general(p, 3)))}`;
  if (values[0].length > 1) return `${joined(ends.reverse().map(by))} maps`;
  return `reads ${joined(ends.map(by))}`;
}

/** Consecutive numbers in one, the last number of a path first. Of equal paths the first stays.
 *
 * "conv3_x.1", "conv3_x.2" -> "conv3_x.1-2"; "conv3_x.0", "conv4_x.0" -> "conv3-4_x.0" */
export function ranges(paths) {
  return countedOn(countedOn([...new Set(paths)], true), false);
}

function countedOn(paths, last) {
  const runs = [];
  for (const path of paths) {
    const words = path.split(/(\d+)/);
    if (runs.length && follows(runs.at(-1), words, last)) runs.at(-1).push(words);
    else runs.push([words]);
  }
  return runs.map((run) => {
    const end = run.at(-1);
    return run[0].map((old, i) => (old === end[i] ? old : `${old}-${end[i]}`)).join("");
  });
}

/** The path counts on from the run: the same but for one number, the next one, at the place where
 * the run counts. */
function follows(run, words, last) {
  const step = (old, fresh) => {
    if (old.length !== fresh.length) return null;
    const places = fresh.flatMap((each, i) => (each === old[i] ? [] : [i]));
    const [place] = places;
    const allowed = last ? place === fresh.length - 2 : place % 2 === 1; // where the numbers are
    if (places.length !== 1 || !allowed) return null;
    return Number(fresh[place]) === Number(old[place]) + 1 ? place : null;
  };
  const here = step(run.at(-1), words);
  return here !== null && (run.length === 1 || step(...run.slice(-2)) === here);
}

// A difference in one or two sentences: what it comes to, and the change that matters most:
// convatlas/anatomy/difference_words.py.

import { GROUPS, whereIs } from "./difference.js";
import { fixed, signed, thousands } from "./python.js";
import { NONE } from "./wording.js";

const WHERE = 2; // places of a block that are named
const LONG = 60; // letters of a form that is told whole
const COUNTS = { macs: "multiply-adds", params: "parameters" };

/** "Beside a, b takes 1.06 times the multiply-adds and as many parameters. ..." */
export function summary(found) {
  const [a, b] = [found.a.name, found.b.name];
  if (found.same) return `${b} computes the same as ${a} in evaluation.`;
  const first = `Beside ${a}, ${b} takes ${beside(found)}.`;
  const most = largest(found);
  if (!most) return first;
  return `${first} The largest change: ${told(...most)}.${others(found, most[1])}`;
}

const beside = ({ a, b }) =>
  Object.entries(COUNTS)
    .map(([of, what]) => amount(a[of], b[of], what))
    .join(" and ");

/** "0.53 times the parameters", "8,448 more parameters", "as many parameters" */
export function amount(a, b, what) {
  if (a === b) return `as many ${what}`;
  const ratio = b / Math.max(a, 1);
  const text = ratio < 100 ? fixed(ratio, 2) : thousands(fixed(ratio, 0));
  if (text === "1.00") return `${thousands(Math.abs(b - a))} ${b > a ? "more" : "fewer"} ${what}`;
  return `${text} times the ${what}`;
}

const pairsOf = (found) => found.blocks.flatMap((block) => block.changes.map((c) => [block, c]));

/** The [block, change] that costs or saves most multiply-adds, or else most parameters, or else the
 * first one in the structure; null where nothing differs. */
function largest(found) {
  const changes = pairsOf(found);
  if (!changes.length) return null;
  const first = (better) => changes.reduce((best, each) => (better(each[1], best[1]) ? each : best));
  for (const of of Object.keys(COUNTS)) {
    const dearest = first((each, best) => Math.abs(each[of]) > Math.abs(best[of]));
    if (dearest[1][of]) return dearest;
  }
  return first((each, best) => GROUPS.indexOf(each.group) < GROUPS.indexOf(best.group));
}

/** "conv3-5_x.0, branch.conv1: 1x1 conv: stride 2 -> stride 1 (+231 M multiply-adds)" */
function told(block, change) {
  const [a, b] = whereIs(block).map(few);
  const where = a && b && a !== b ? `${a} | ${b}` : a || b;
  const inside = change.inside ? `, ${change.inside}` : "";
  const step = change.what ? `${change.what}: ` : "";
  return `${where}${inside}: ${step}${form(change.a)} -> ${form(change.b)}${cost(change)}`;
}

function few(places) {
  const names = places.split(", ");
  return names.slice(0, WHERE).join(", ") + (names.length > WHERE ? " and others" : "");
}

/** A long list of steps is cut after a comma. */
function form(text) {
  if (text.length <= LONG) return text === NONE ? "nothing" : text;
  const start = text.slice(0, LONG);
  const comma = start.lastIndexOf(", ");
  return `${comma > 0 ? start.slice(0, comma) : start}, ...`;
}

function cost(change) {
  const of = Object.keys(COUNTS).find((each) => change[each]);
  return of ? ` (${signed(change[of])} ${COUNTS[of]})` : "";
}

/** Which other kinds of change there are. */
function others(found, most) {
  const groups = pairsOf(found).map(([, change]) => change.group);
  if (groups.length === 1) return " Nothing else differs.";
  const rest = GROUPS.filter((group) => group !== most.group && groups.includes(group));
  const kinds = rest.length ? `some in ${listed(rest)}` : `all in ${most.group}`;
  return ` There are ${groups.length} changes in all, ${kinds}.`;
}

/** "a, b and c" */
function listed(words) {
  return [words.slice(0, -1).join(", "), words.at(-1)].filter(Boolean).join(" and ");
}

// Steps that are the same but read something else: another map, the same maps in another order, or
// weights that are also others': convatlas/anatomy/rewired.py.

import { COMMUTATIVE } from "./graph.js";
import { byCode, groupby, parted } from "./python.js";
import { VALUES } from "./telling.js";

/** What each of two networks' steps reads, where its counterparts are known. What it tells is
 * [what, a's form, b's form], or null. */
export class Wires {
  constructor(a, b, pairs) {
    this.walks = [a, b];
    this.there = new Map();
    for (const [one, other] of pairs) {
      if (one && other && !one.trains && !other.trains) this.there.set(one.node, other.node);
    }
    const inputs = b.graph.inputs;
    a.graph.inputs.slice(0, inputs.length).forEach((place, i) => this.there.set(place, inputs[i]));
    this.back = new Map([...this.there].map(([here, there]) => [there, here]));
    this.users = [usersOf(a), usersOf(b)];
  }

  /** What is told of a pair of steps whose own settings may agree. */
  told(a, b) {
    if (a.trains || b.trains) return null;
    return this.#reads(a, b) ?? this.#shares(a, b);
  }

  #reads(a, b) {
    const [mine, theirs] = [mapsOf(this.walks[0], a), mapsOf(this.walks[1], b)];
    if (!this.#known(mine, theirs)) return null; // what has no counterpart is told for itself
    const meant = mine.map((read) => this.there.get(read));
    const same = equalLists(inOrder(meant), inOrder(theirs));
    const sums = COMMUTATIVE.has(a.kind) && COMMUTATIVE.has(b.kind);
    if (equalLists(meant, theirs) || (same && sums)) return null;
    const reads = [mine, theirs];
    if (COMMUTATIVE.has(b.kind)) {
      // in no order of their own: as the other side has them
      const rank = (read) => {
        const place = mine.indexOf(this.back.get(read));
        return place < 0 ? mine.length : place;
      };
      reads[1] = theirs.toSorted((x, y) => rank(x) - rank(y));
    }
    const homes = [a, b].map((step) => parted(step.name)[0]);
    let texts = this.#kinds(reads);
    for (const near of [homes, ["", ""]]) {
      if (texts[0] === texts[1]) texts = this.#texts(reads, near);
    }
    if (same) return [`order of ${b.kind}`, ...texts];
    return [b.kind, ...texts.map((read) => `after ${read}`)];
  }

  #known(mine, theirs) {
    return mine.every((each) => this.there.has(each)) && theirs.every((each) => this.back.has(each));
  }

  /** What each side reads, in short: "average pool, conv". */
  #kinds(reads) {
    return this.walks.map((walk, side) =>
      groupby(reads[side].map((read) => opOf(walk, read)))
        .map(([op]) => op)
        .join(", "),
    );
  }

  /** What each side reads, by the paths of modules inside its home. */
  #texts(reads, homes) {
    return this.walks.map((walk, side) =>
      reads[side].map((read) => label(walk, read, homes[side])).join(", "),
    );
  }

  #shares(a, b) {
    const others = [a, b].map((step, side) => this.users[side].get(step.node) ?? new Set());
    const mine = [...others[0]];
    if (!mine.every((place) => this.there.has(place))) return null;
    const meant = new Set(mine.map((place) => this.there.get(place)));
    const same = meant.size === others[1].size && [...meant].every((each) => others[1].has(each));
    if (same) return null;
    const texts = this.walks.map((walk, side) => {
      const names = [...others[side]].map((place) => walk.graph.nodes[place].name);
      return names.length ? `shared with ${names.sort(byCode).join(", ")}` : "its own";
    });
    return [`weights of ${b.kind}`, ...texts];
  }

  /** What the networks give out. */
  answers() {
    const [mine, theirs] = this.walks.map((walk) => walk.graph.outputs);
    if (!this.#known(mine, theirs)) return null;
    if (equalLists(mine.map((place) => this.there.get(place)), theirs)) return null;
    const names = this.walks.map((walk) =>
      walk.graph.outputs
        .map((place) => walk.graph.nodes[place].name || walk.graph.nodes[place].op)
        .join(", "),
    );
    return ["output", `of ${names[0]}`, `of ${names[1]}`];
  }
}

const inOrder = (places) => places.toSorted((x, y) => x - y);
const equalLists = (a, b) => a.length === b.length && a.every((each, i) => each === b[i]);

function opOf(walk, place) {
  const { op } = walk.graph.nodes[place];
  return op === "input" ? "the input" : op;
}

function label(walk, place, home) {
  const node = walk.graph.nodes[place];
  if (node.op === "input") return "the input";
  const near = home && node.name.startsWith(`${home}.`);
  const name = near ? node.name.slice(home.length + 1) : node.name;
  return name ? `${node.op} of ${name}` : node.op;
}

function mapsOf(walk, step) {
  const { nodes } = walk.graph;
  return nodes[step.node].reads.filter((read) => !VALUES.has(nodes[read].op));
}

/** For each node the others that read one of its weights. */
function usersOf(walk) {
  const { nodes } = walk.graph;
  const users = new Map();
  const names = new Map();
  nodes.forEach((node, place) => {
    if (VALUES.has(node.op)) return;
    const held = node.reads.map((read) => nodes[read]).filter((other) => VALUES.has(other.op));
    const own = [node, ...held].flatMap((other) => other.weights.map((weight) => weight.name));
    names.set(place, own);
    for (const name of own) {
      if (!users.has(name)) users.set(name, new Set());
      users.get(name).add(place);
    }
  });
  const others = (own, place) => {
    const shared = own.filter((name) => users.get(name).size > 1);
    return new Set(shared.flatMap((name) => [...users.get(name)]).filter((each) => each !== place));
  };
  return new Map([...names].map(([place, own]) => [place, others(own, place)]));
}

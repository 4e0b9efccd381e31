// Whether two graphs are one: convatlas/wiring/matching.py. Where that hashes, each text gets a
// number here, the same in both graphs.

import { bare, COMMUTATIVE, numel, settingsText } from "./graph.js";
import { byCode, listOf, numbered, repr } from "./python.js";

const ROUNDS = 2; // of telling nodes apart by what lies around them
const TRIES = 5000; // of which of several alike is which; after them two graphs are taken for two

/** A Map from places in `a` to places in `b`; null where the networks can answer differently. */
export function match(a, b) {
  if (a.nodes.length !== b.nodes.length || signature(a) !== signature(b)) return null;
  const walk = new Pairing(a, b, [colors(a), colors(b)]);
  const others = [...b.outputs, ...b.inputs];
  const found = walk.pair([...a.outputs, ...a.inputs].map((place, i) => [place, others[i]]));
  return found && walk.nodes.size === a.nodes.length ? walk.nodes : null;
}

const digest = (parts) => String(numbered(parts.join("\n")));

function signature(graph) {
  const ahead = forward(graph);
  const used = new Map();
  for (const { name } of graph.nodes.flatMap((node) => node.weights)) {
    used.set(name, (used.get(name) ?? 0) + 1);
  }
  const uses = [...used.values()].sort((x, y) => x - y);
  return digest([
    ...graph.outputs.map((place) => ahead[place]),
    ...[`${graph.size}`, `${graph.nodes.length}`, `${uses}`],
    ...ahead.toSorted(byCode),
  ]);
}

/** For each node a digest of all that leads there: equal where the same operations do. */
export function forward(graph) {
  const found = [];
  for (const node of graph.nodes) {
    found.push(digest([said(node), ...read(node, node.reads.map((each) => found[each]))]));
  }
  return found;
}

/** For each node a digest of itself and all that follows from it. */
function backward(graph) {
  const found = [];
  for (let place = graph.nodes.length - 1; place >= 0; place--) {
    const after = graph.outputs.flatMap((o, i) => (o === place ? [`answer ${i}`] : []));
    for (const reader of graph.readers[place]) {
      after.push(`${found[reader]} ${slots(graph.nodes[reader], place)}`);
    }
    found[place] = digest([said(graph.nodes[place]), ...after.sort(byCode)]);
  }
  return found;
}

/** Where a node reads: in a sum it does not matter where. */
function slots(node, place) {
  const own = node.reads.flatMap((each, i) => (each === place ? [i] : []));
  if (!COMMUTATIVE.has(node.op)) return repr(own);
  const over = node.own.get("over");
  return over ? repr(own.map((i) => over[i]).sort(byCode)) : String(own.length);
}

function read(node, digests) {
  if (!COMMUTATIVE.has(node.op)) return digests;
  const over = node.own.get("over") ?? digests.map(() => "");
  return digests.map((one, i) => `${over[i]} ${one}`).sort(byCode);
}

/** The operation and its settings, without its places and names. */
function said(node) {
  if (node.said === undefined) {
    let output = bare(node.output);
    if (node.op === "parameter") output = output.filter((side) => side !== 1);
    const own = settingsText(node);
    node.said = digest([`${node.op} ${own} ${output} (${node.weights.map(numel)})`]);
  }
  return node.said;
}

/** A name for each node by all that leads to it, all that follows, and what shares weights. */
function colors(graph) {
  const [ahead, behind] = [forward(graph), backward(graph)];
  let found = graph.nodes.map((_, place) => digest([ahead[place], behind[place]]));
  for (let round = 0; round < ROUNDS; round++) found = around(graph, found);
  return found;
}

function around(graph, found) {
  const users = new Map();
  graph.nodes.forEach((node, place) => {
    node.weights.forEach(({ name }, slot) => listOf(users, name).push(`${slot} ${found[place]}`));
  });
  const shared = new Map(
    [...users].map(([name, all]) => [name, digest(["shared", ...all.sort(byCode)])]),
  );
  const fresh = [];
  graph.nodes.forEach((node, place) => {
    const before = read(node, node.reads.map((each) => fresh[each]));
    const after = graph.readers[place].map(
      (reader) => `${found[reader]} ${slots(graph.nodes[reader], place)}`,
    );
    const own = node.weights.map(({ name }) => shared.get(name));
    fresh.push(digest([found[place], ...before, ...after.sort(byCode), ...own]));
  });
  return fresh;
}

/** Pairs nodes from the answers back to the inputs. Where a sum reads several that look alike, it
 * tries which is which, and takes back what does not fit. */
class Pairing {
  constructor(a, b, found) {
    Object.assign(this, { graphs: [a, b], colors: found, tries: TRIES });
    this.nodes = new Map();
    this.back = new Map();
    this.weights = new Map();
    this.named = new Map();
    this.done = []; // [map, key]: what was written where, to be taken back
  }

  pair(ends) {
    const waiting = [...ends];
    while (waiting.length) {
      const [left, right] = waiting.pop();
      if (this.nodes.has(left) || this.back.has(right)) {
        if (this.nodes.get(left) !== right) return false;
        continue;
      }
      if (!this.#alike(left, right)) return false;
      this.#write(this.nodes, left, right);
      this.#write(this.back, right, left);
      const reads = this.#reads(this.graphs[0].nodes[left], this.graphs[1].nodes[right]);
      if (reads === null) return false;
      waiting.push(...reads);
    }
    return true;
  }

  #write(map, key, value) {
    map.set(key, value);
    this.done.push([map, key]);
  }

  #alike(left, right) {
    const [a, b] = [this.graphs[0].nodes[left], this.graphs[1].nodes[right]];
    if (this.colors[0][left] !== this.colors[1][right] || said(a) !== said(b)) return false;
    for (const [i, mine] of a.weights.entries()) {
      const other = b.weights[i];
      const known = [this.weights.get(mine.name), this.named.get(other.name)];
      if (known[0] === undefined && known[1] === undefined) {
        this.#write(this.weights, mine.name, other.name);
        this.#write(this.named, other.name, mine.name);
      } else if (known[0] !== other.name || known[1] !== mine.name) {
        return false;
      }
    }
    return true;
  }

  /** What they read, in pairs still to be looked at; those of a sum that are alike are paired. */
  #reads(a, b) {
    if (a.reads.length !== b.reads.length) return null;
    if (!COMMUTATIVE.has(a.op)) return a.reads.map((each, i) => [each, b.reads[i]]);
    const [left, right] = [this.#kinds(a, 0), this.#kinds(b, 1)];
    if (left.size !== right.size) return null;
    const pairs = [];
    for (const [kind, own] of left) {
      const others = right.get(kind);
      if (others?.length !== own.length) return null;
      if (own.length === 1) pairs.push([own[0], others[0]]);
      else if (!this.#tried(own, others)) return null;
    }
    return pairs;
  }

  /** What a sum reads, by colour and by how it is spread. */
  #kinds(node, side) {
    const found = new Map();
    node.reads.forEach((each, i) => {
      const word = node.own.get("over")?.[i] ?? "";
      listOf(found, `${this.colors[side][each]} ${word}`).push(each);
    });
    return found;
  }

  /** Whether those can be paired, one with one; what is a pair already stays one. */
  #tried(own, others) {
    const rest = [...others];
    const known = own.filter((each) => this.nodes.has(each));
    for (const each of [...known, ...own.filter((one) => !known.includes(one))]) {
      const found = rest.findIndex((other) => this.#fits(each, other));
      if (found < 0) return false;
      rest.splice(found, 1);
    }
    return true;
  }

  #fits(left, right) {
    if (this.nodes.has(left) || this.back.has(right)) return this.nodes.get(left) === right;
    const before = this.done.length;
    this.tries -= 1;
    if (this.tries > 0 && this.pair([[left, right]])) return true;
    while (this.done.length > before) {
      const [map, key] = this.done.pop();
      map.delete(key);
    }
    return false;
  }
}

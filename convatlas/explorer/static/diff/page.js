// The page that compares two networks, or a row of them step by step: diff.html?a=A&b=B&c=C.

import { address, json } from "../files.js";
import { finder, networks } from "../finder.js";
import { html, nothing, render } from "../vendor/lit-html.js";
import { word } from "../words.js";
import { compare } from "./comparing.js";
import { summary } from "./difference_words.js";
import { whereIs } from "./difference.js";
import { signed, thousands } from "./python.js";
import { fromRecord } from "./walk_record.js";

const SIDES = ["a", "b", "c", "d", "e", "f"]; // keys of the address, in order

export function mount(main, { query }) {
  const place = main.querySelector("#difference");
  const page = new Page(place, SIDES.map((side) => query.get(side)).filter(Boolean));
  page.show();
  document.addEventListener("language", () => page.draw());
}

/** The walk of a network, by name. */
export async function walkOf(name) {
  const [record, words] = await Promise.all([
    json(`data/walks/${name}.json`),
    json("data/walks/words.json"),
  ]);
  return fromRecord({ ...record, words: record.words.map((i) => words[i]) });
}

class Page {
  constructor(place, names) {
    Object.assign(this, { place, names, found: [], problem: "", busy: false, known: new Set() });
  }

  /** Compares what is chosen. */
  async show() {
    const names = [...this.names];
    this.busy = names.length > 1;
    this.draw();
    try {
      this.known = new Set((await networks()).map((network) => network.name));
      const wrong = names.find((name) => !this.known.has(name));
      this.problem = wrong ? word("diff.unknown", { name: wrong }) : "";
      const walks = wrong ? [] : await Promise.all(names.map(walkOf));
      if (String(names) !== String(this.names)) return; // others have been chosen meanwhile
      this.found = walks.slice(1).map((walk, i) => compare(walks[i], walk));
    } catch (error) {
      this.problem = String(error.message ?? error);
      this.found = [];
    }
    this.busy = false;
    this.draw();
  }

  choose(side, name) {
    const names = [...this.names];
    names[side] = name;
    this.go(names.filter(Boolean));
  }

  go(names) {
    this.names = names;
    const address = new URL(location.href);
    SIDES.forEach((side, i) =>
      names[i] ? address.searchParams.set(side, names[i]) : address.searchParams.delete(side),
    );
    history.replaceState(null, "", address);
    this.show();
  }

  draw() {
    const { names, found, busy } = this;
    const problem = this.problem || (names.length < 2 ? word("diff.choose") : "");
    document.title = names.length > 1 ? `${names.join(" → ")} · convatlas` : document.title;
    render(
      html`${this.choices()}
        <p role="status">${busy ? word("diff.busy") : problem}</p>
        ${busy || problem ? nothing : found.map(stepOf)}
        ${found.length && !busy && !problem
          ? html`<p class="quiet">
              ${word("diff.legend")} <code>convatlas diff ${names.join(" ")}</code>
            </p>`
          : nothing}`,
      this.place,
    );
  }

  choices() {
    const { names } = this;
    const boxes = Math.min(Math.max(2, names.length + (names.length > 1 ? 1 : 0)), SIDES.length);
    return html`<div class="sides">
      ${SIDES.slice(0, boxes).map(
        (side, i) =>
          html`<div class="side">
            <span class="which"
              >${side.toUpperCase()}
              ${this.known.has(names[i])
                ? html`<a href=${address(`networks/${names[i]}.html`)}>${names[i]}</a>`
                : (names[i] ?? (i > 1 ? word("diff.further") : nothing))}</span
            >
            <div class="find">${finder(`diff-${side}`, (name) => this.choose(i, name))}</div>
          </div>`,
      )}
      ${names.length > 1
        ? html`<button @click=${() => this.go(names.toReversed())}>${word("diff.turn")}</button>`
        : nothing}
    </div>`;
  }
}

/** One difference: both totals, then a line for each change. */
function stepOf(found) {
  const { a, b, blocks } = found;
  const most = Math.max(1, ...blocks.flatMap(({ changes }) => changes.map((c) => Math.abs(c.macs))));
  return html`<section class="step">
    <h2>${a.name} → ${b.name}</h2>
    ${totals(a, b)}
    <p>${found.same ? sameness(a.name, b.name) : summary(found)}</p>
    ${blocks.length
      ? html`<div class="scroll" tabindex="0" role="region" aria-label=${`${a.name} → ${b.name}`}>
          <table class="changes">
            <thead>
              <tr>
                <th scope="col">${word("diff.step")}</th>
                <th scope="col">${a.name}</th>
                <th scope="col">${b.name}</th>
                <th scope="col">${word("facts.params")}</th>
                <th scope="col">${word("facts.macs")}</th>
              </tr>
            </thead>
            ${blocks.map((block) => blockOf(block, found, most))}
          </table>
        </div>`
      : nothing}
  </section>`;
}

function totals(a, b) {
  const row = (name, key) =>
    html`<div>
      <dt>${word(name)}</dt>
      <dd>
        ${thousands(a[key])} → ${thousands(b[key])} <small>${signed(b[key] - a[key])}</small>
      </dd>
    </div>`;
  return html`<dl class="facts">${row("facts.params", "params")}${row("facts.macs", "macs")}</dl>`;
}

const sameness = (a, b) => (a === b ? word("diff.itself", { a }) : word("diff.same", { a, b }));

function blockOf(block, { a, b }, most) {
  const [here, there] = whereIs(block);
  const [placeA, placeB] = block.places[0];
  const times = block.places.length > 1 ? html` <small>×${block.places.length}</small>` : nothing;
  const left = here ? unit(a.name, placeA, here) : nothing;
  const right = there && there !== here ? unit(b.name, placeB, there) : nothing;
  const both = here && there && there !== here ? " | " : "";
  return html`<tbody>
    <tr class="place">
      <th scope="rowgroup" colspan="5">${left}${both}${right}${times}</th>
    </tr>
    ${block.changes.map((change) => rowOf(change, block, most))}
  </tbody>`;
}

/** The address of a unit in the page of its network; what stands for no module leads to its top. */
function unit(name, path, said) {
  const module = path && !["input", "output", "top level"].includes(path) && !path.includes(", ");
  const hash = module ? `#${path}` : "";
  return html`<a href=${`${address(`networks/${name}.html`)}${hash}`}>${said}</a>`;
}

function rowOf(change, block, most) {
  const several = change.times > block.places.length ? ` ×${change.times}` : "";
  const where = [change.inside, change.what].filter(Boolean).join(": ");
  const share = `${(100 * Math.abs(change.macs)) / most}%`;
  const kind = change.macs < 0 ? "less" : "more";
  return html`<tr>
    <td>${where}${several}</td>
    <td>${change.a}</td>
    <td>${change.b}</td>
    <td class="number">${change.params ? signed(change.params) : ""}</td>
    <td class="number ${kind}" style=${`--share: ${share}`}>${change.macs ? signed(change.macs) : ""}</td>
  </tr>`;
}

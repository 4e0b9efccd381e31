// The search box: a combobox over all networks and papers, by keyboard and by pointer.

import { html } from "./vendor/lit-html.js";
import { address, json } from "./files.js";
import { word } from "./words.js";

const MANY = 12;

/** All networks: {name, page, year, params, macs, depth, input, title}. */
export async function networks() {
  const titles = {};
  return (await json("data/networks.json")).map(
    ([name, page, year, params, macs, depth, input, title]) => {
      titles[page] ||= title;
      return { name, page, year, params, macs, depth, input, title: titles[page] };
    },
  );
}

/** Those that a reader may mean: names that begin so, names that contain it, then titles. */
export function matching(all, typed) {
  const words = typed.toLowerCase().split(/[\s_-]+/).filter(Boolean);
  if (!words.length) return [];
  const fits = (text) => words.every((each) => text.includes(each));
  const rank = ({ name, title, year }) => {
    const plain = name.replaceAll("_", " ");
    if (plain.startsWith(words.join(" "))) return 0;
    if (fits(plain)) return 1;
    return fits(`${plain} ${title.toLowerCase()} ${year}`) ? 2 : 3;
  };
  return all
    .map((network) => [rank(network), network.name.length, network])
    .filter(([place]) => place < 3)
    .sort((a, b) => a[0] - b[0] || a[1] - b[1])
    .slice(0, MANY)
    .map(([, , network]) => network);
}

/** The box. `chosen(name)` is called for a choice; without it the network's page is opened. */
export function finder(id, chosen = open) {
  const list = `${id}-list`;
  return html`<input
      id=${`${id}-box`}
      type="search"
      role="combobox"
      autocomplete="off"
      aria-autocomplete="list"
      aria-expanded="false"
      aria-controls=${list}
      aria-label=${word("find.label")}
      placeholder=${word("find.label")}
      @input=${(event) => offer(event.target, chosen)}
      @focus=${(event) => offer(event.target, chosen)}
      @keydown=${(event) => steer(event, chosen)}
      @blur=${(event) => setTimeout(() => close(event.target), 150)}
    />
    <ul id=${list} role="listbox" aria-label=${word("find.found")} hidden></ul>`;
}

const open = (name) => location.assign(address(`networks/${name}.html`));
const listOf = (box) => document.getElementById(box.getAttribute("aria-controls"));

async function offer(box, chosen) {
  const typed = box.value;
  const found = matching(await networks(), typed);
  if (typed !== box.value) return;
  const list = listOf(box);
  list.replaceChildren(
    ...found.map(({ name, title, year }, place) => {
      const item = document.createElement("li");
      item.id = `${list.id}-${place}`;
      item.setAttribute("role", "option");
      item.dataset.name = name;
      item.append(Object.assign(document.createElement("b"), { textContent: name }));
      item.append(` ${year} ${title}`);
      item.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        take(box, name, chosen);
      });
      return item;
    }),
  );
  list.hidden = !found.length;
  box.setAttribute("aria-expanded", String(found.length > 0));
  mark(box, found.length ? 0 : -1);
}

function steer(event, chosen) {
  const box = event.target;
  const items = [...listOf(box).children];
  const at = items.findIndex((item) => item.getAttribute("aria-selected") === "true");
  if (event.key === "Escape") return close(box);
  if (event.key === "Enter" && items[at]) return take(box, items[at].dataset.name, chosen);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || !items.length) return undefined;
  event.preventDefault();
  return mark(box, (at + step + items.length) % items.length);
}

function mark(box, place) {
  const items = [...listOf(box).children];
  items.forEach((item, at) => item.setAttribute("aria-selected", String(at === place)));
  if (items[place]) {
    box.setAttribute("aria-activedescendant", items[place].id);
    items[place].scrollIntoView({ block: "nearest" });
  } else box.removeAttribute("aria-activedescendant");
}

function take(box, name, chosen) {
  box.value = name;
  close(box);
  chosen(name);
}

function close(box) {
  const list = listOf(box);
  if (!list) return;
  list.hidden = true;
  box.setAttribute("aria-expanded", "false");
}

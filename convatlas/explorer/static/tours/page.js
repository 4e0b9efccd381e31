// A guided tour: a link that names a network, a unit or a printed number moves what stands beside
// the text. Without this module, in a narrow window, or with a key held, the link is followed.

import { json, text } from "../files.js";
import { choose, language, word } from "../words.js";
import { rowOf } from "../network/joining.js";

const ROOM = "(min-width: 1000px)"; // the width at which there is a place beside the text

export function mount(main) {
  twin(main);
  const place = main.querySelector(".shown");
  if (!place) return;
  const links = [...main.querySelectorAll("a[data-address]")];
  const show = (link) => move(place, links, link).catch((error) => (place.textContent = error.message));
  main.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-address]");
    if (!link || place.contains(link) || !matchMedia(ROOM).matches) return;
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    show(link);
  });
  if (links.length && matchMedia(ROOM).matches) show(links[0]);
}

/** The same page in the other language: on the link to it, and when that language is chosen. */
function twin(main) {
  const own = main.querySelector("article").lang;
  const other = main.querySelector(".way a[hreflang]");
  other.addEventListener("click", () => choose(other.hreflang));
  document.addEventListener("language", ({ detail }) => detail !== own && other.isConnected && go(other));
  const list = !main.querySelector(".shown");
  if (list && language() !== own) go(other);
}

function go(link) {
  const [asked] = location.search.match(/[?&]lang=\w+/) ?? [];
  if (!asked) location.replace(link.href);
}

/** Shows what a link names. */
async function move(place, links, link) {
  const [name, at = ""] = link.dataset.address.split("#");
  const page = new DOMParser().parseFromString(await text(`networks/${name}.html`), "text/html");
  const drawing = await drawn(name, at, page);
  for (const each of links) each.toggleAttribute("data-here", each === link);
  place.replaceChildren(heading(link, page), ...taken(page, at, drawing));
  place.scrollTo(0, 0);
  light(place, at);
}

/** The stages, which stand in a network's page; every unit where one is named and the site has it. */
async function drawn(name, at, page) {
  const stages = page.querySelector(".drawing svg");
  const named = at.includes(".") && (await json("data/drawings.json")).unit;
  if (!named || !stages) return stages;
  const whole = new DOMParser().parseFromString(await text(`drawings/${name}.svg`), "text/html");
  const drawing = whole.querySelector("svg");
  drawing.style.width = `${0.8 * drawing.viewBox.baseVal.width}px`;
  return drawing;
}

function heading(link, page) {
  const title = document.createElement("h2");
  const open = document.createElement("a");
  open.href = link.href;
  open.textContent = page.querySelector("h1").textContent;
  open.title = word("tours.open");
  title.append(open);
  return title;
}

/** The printed number, the drawing and the table of a network's page. */
function taken(page, at, drawing) {
  const claim = at.startsWith("claim-") && page.getElementById(at)?.closest("dd");
  const found = [];
  if (claim) {
    const list = document.createElement("dl");
    list.className = "claims";
    list.append(claim.previousElementSibling.cloneNode(true), claim.cloneNode(true));
    for (const link of list.querySelectorAll("a")) link.replaceWith(...link.childNodes);
    found.push(list);
  }
  if (drawing) {
    const frame = document.createElement("div");
    frame.className = "window";
    frame.append(document.importNode(drawing, true));
    found.push(frame);
  }
  found.push(document.importNode(page.querySelector(".units table"), true));
  for (const table of found)
    for (const link of table.querySelectorAll?.("a[href]") ?? []) link.removeAttribute("href");
  return found;
}

/** Marks a unit in drawing and table, or the nearest around it that they show. */
function light(place, at) {
  const claim = at.startsWith("claim-") && place.querySelector(`[id="${at}"]`);
  if (claim) claim.classList.add("lit");
  if (!at || claim) return;
  const rows = new Map();
  for (const row of place.querySelectorAll("tbody tr[id]")) {
    rows.set(row.id, row);
    const [, stem, first] = /^(.*?)(\d+)$/.exec(row.id) ?? [];
    for (let n = Number(first) + 1; n <= Number(row.dataset.to ?? -1); n++) rows.set(stem + n, row);
  }
  const row = rowOf(rows, at);
  row?.classList.add("lit");
  if (row) place.querySelector("h2").append(said(row));
  const boxes = [...place.querySelectorAll("svg [data-path]")];
  for (let path = at; path; path = path.slice(0, Math.max(0, path.lastIndexOf(".")))) {
    const found = boxes.filter((box) => [path, row?.id].includes(box.dataset.path));
    for (const box of found) box.classList.add("lit");
    if (found.length) return centre(place, found[0], row);
  }
  centre(place, row, row);
}

/** A row in one line, below the network's name. */
function said(row) {
  const line = document.createElement("small");
  const [unit, made, output, params, macs] = [...row.cells].map((cell) => cell.textContent.trim());
  const counted = [params && `${params} ${word("facts.params")}`, macs && `${macs} ${word("facts.macs")}`];
  const name = row.id.replace(/[^.]*$/, unit); // "conv5_x.1-2 x2", where a row stands for several
  line.textContent = [name, made, output, ...counted].filter(Boolean).join(" · ");
  return line;
}

/** Brings what is lit into the middle of the place, and leaves the text where it is. */
function centre(place, box, row) {
  const lit = box ?? row;
  if (!lit) return;
  const frame = box?.closest(".window") ?? place;
  const { left, top, width, height } = lit.getBoundingClientRect();
  const seen = frame.getBoundingClientRect();
  frame.scrollTop += top + height / 2 - seen.top - seen.height / 2;
  frame.scrollLeft += left + width / 2 - seen.left - seen.width / 2;
}

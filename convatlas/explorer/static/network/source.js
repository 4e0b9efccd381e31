// The network's code under its table: the lines that name the shown unit are marked.

import { html, render } from "../vendor/lit-html.js";
import { text } from "../files.js";
import { word } from "../words.js";

/** Turns the link to the code into a panel that follows the unit. */
export function sourceOf(main, table) {
  const link = main.querySelector("p.source");
  if (!link) return;
  const own = link.dataset.family;
  const panel = document.createElement("details");
  panel.className = "source";
  link.replaceWith(panel);
  const state = { file: own, lines: [], shown: undefined };
  const update = async (change = {}) => {
    Object.assign(state, change);
    if (panel.open && state.shown?.file !== state.file) {
      const file = state.file;
      state.shown = { file, code: (await text(`data/sources/${file}.py.txt`)).trimEnd().split("\n") };
    }
    render(view(state), panel);
    const first = panel.querySelector(".lit");
    if (first) center(first.closest("ol"), first);
  };
  main.addEventListener("unit", ({ detail }) => {
    const told = linesOf(table.querySelector(`tr[id="${CSS.escape(detail)}"]`));
    const [file, lines] = told.includes(":") ? told.split(":") : [own, told];
    update({ file, lines: lines.split(" ").filter(Boolean).map(Number) });
  });
  panel.addEventListener("toggle", () => update());
  document.addEventListener("language", () => update());
  update();
}

/** A row's lines, or those of its stage. */
function linesOf(row) {
  let at = row;
  while (at && !at.dataset.l && !at.classList.contains("stage")) at = at.previousElementSibling;
  return at?.dataset.l ?? "";
}

function view({ file, lines, shown }) {
  return html`<summary>${word("source.title")}: convatlas/nets/${file}.py</summary>
    ${shown?.file === file
      ? html`<ol tabindex="0" aria-label=${`${file}.py`}>
          ${shown.code.map((line, at) => html`<li class=${lines.includes(at + 1) ? "lit" : ""}><code>${line || " "}</code></li>`)}
        </ol>`
      : ""}`;
}

/** Scrolls within the panel only: the page stays where the reader is. */
function center(list, line) {
  list.scrollTop = line.offsetTop - list.offsetTop - list.clientHeight / 2;
}

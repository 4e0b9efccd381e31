// A network's page: row, box, claim and address joined; sizes for any input; the field on a picture.

import { html, render } from "../vendor/lit-html.js";
import { word } from "../words.js";
import { join } from "./joining.js";
import { levels } from "./levels.js";
import { fieldOn } from "./field.js";
import { sizedTable } from "./sizes.js";
import { sourceOf } from "./source.js";

export function mount(main) {
  const table = main.querySelector(".units table");
  if (table?.dataset.steps) tools(main, table);
  if (table) sourceOf(main, table);
  levels(main);
  join(main);
}

function tools(main, table) {
  const sized = sizedTable(table);
  const state = { size: sized.printed, total: undefined };
  const place = document.createElement("div");
  place.className = "tools";
  main.querySelector(".pair").before(place);
  const update = (change) => {
    Object.assign(state, change);
    state.total = sized.show(state.size);
    render(view(state, sized, update), place);
  };
  const field = fieldOn(main, table);
  update({});
  place.after(field.element);
  document.addEventListener("language", () => {
    update({});
    field.speak();
  });
}

function view(state, sized, update) {
  const { size, total } = state;
  const change = (event) => {
    const asked = Math.round(Number(event.target.value));
    if (asked >= 1 && asked <= 2048) update({ size: asked });
  };
  const most = Math.max(2 * sized.printed, 64);
  return html`<label for="size">${word("size.input")}</label>
    <input id="size" type="number" min="1" max="2048" .value=${String(size)} @change=${change} />
    <input type="range" min="8" max=${most} .value=${String(size)} aria-label=${word("size.input")}
      @input=${change} />
    ${size === sized.printed
      ? ""
      : html`<button @click=${() => update({ size: sized.printed })}>${word("size.back", { n: sized.printed })}</button>`}
    <output for="size">${told(total, sized)}</output>`;
}

function told(total, { bound }) {
  if (!Number.isNaN(total)) return word("size.macs", { n: Math.round(total).toLocaleString("en-US") });
  return bound ? word("size.bound", { layer: bound }) : word("size.small");
}

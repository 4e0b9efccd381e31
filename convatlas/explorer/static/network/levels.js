// The drawing at two levels: the stages, which stand in the page, and every unit, where the site
// holds that.

import { html, render } from "../vendor/lit-html.js";
import { json, text } from "../files.js";
import { word } from "../words.js";

/** Adds the choice; every unit is shown first, where it is there. */
export async function levels(main) {
  const section = main.querySelector("#drawing");
  const stage = section.querySelector("svg");
  if (!stage || !(await json("data/drawings.json")).unit) return;
  const choice = document.createElement("div");
  choice.className = "choices";
  section.prepend(choice);
  const show = async (level) => {
    const drawing = level === "stage" ? stage : await unitsOf(section.getAttribute("aria-label"));
    section.querySelector("svg").replaceWith(drawing);
    section.classList.toggle("wide", level === "unit");
    main.dispatchEvent(new Event("drawn"));
    speak(level);
  };
  const speak = (level) => {
    choice.dataset.level = level;
    const button = (each) => html`<button aria-pressed=${String(each === level)}
      @click=${() => show(each)}>${word(`level.${each}`)}</button>`;
    render(html`${button("unit")} ${button("stage")}`, choice);
  };
  document.addEventListener("language", () => speak(choice.dataset.level));
  await show("unit");
}

async function unitsOf(network) {
  const page = new DOMParser().parseFromString(await text(`drawings/${network}.svg`), "text/html");
  return page.querySelector("svg");
}

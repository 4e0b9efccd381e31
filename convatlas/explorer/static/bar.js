// The right end of the bar: the search over all networks, and the language.

import { html, render } from "./vendor/lit-html.js";
import { choose, language, word } from "./words.js";
import { finder } from "./finder.js";

/** Adds both to the bar, once. */
export function bar() {
  const header = document.querySelector("header.bar");
  let end = header.querySelector(".end");
  if (!end) {
    end = document.createElement("div");
    end.className = "end";
    header.append(end);
    document.addEventListener("language", () => show(end));
    document.addEventListener("keydown", (event) => focusFinder(event, end));
  }
  show(end);
}

function show(end) {
  const other = document.documentElement.lang === "en" ? "zh" : "en";
  render(
    html`<div class="find">${finder("bar")}</div>
      <button class="language" lang=${other} @click=${() => choose(other)}>
        ${other === "zh" ? "中文" : "English"}
      </button>`,
    end,
  );
}

function focusFinder(event, end) {
  if (event.key !== "/" || /input|textarea|select/i.test(event.target.tagName)) return;
  event.preventDefault();
  end.querySelector("input").focus();
}

// The first page: the large search box.

import { html, render } from "./vendor/lit-html.js";
import { finder } from "./finder.js";

export function mount(main) {
  const place = main.querySelector("#search");
  const show = () => render(html`${finder("front")}`, place);
  show();
  document.addEventListener("language", show);
}

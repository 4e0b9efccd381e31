// What every page starts with: the language, and the page's own module.

import { load } from "./files.js";
import { language, speak } from "./words.js";
import { bar } from "./bar.js";

/** Brings the page that stands in the document to life. */
export async function start() {
  const main = document.getElementById("main");
  const address = { query: new URLSearchParams(location.search), hash: location.hash };
  await speak(document, language());
  bar();
  const module = main.dataset.module;
  if (module) (await load(module)).mount(main, address);
}

if (!globalThis.CONVATLAS_FILES) start();

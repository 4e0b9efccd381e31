// The interface's words in the reader's language. English stands in the pages themselves.

import { json } from "./files.js";

const LANGUAGES = ["en", "zh"];
let words = {};

/** The language: asked for in the address, chosen before, or the browser's. */
export function language() {
  const asked = new URLSearchParams(location.search).get("lang") ?? stored();
  if (LANGUAGES.includes(asked)) return asked;
  if (document.documentElement.dataset.own) return document.documentElement.lang;
  return (navigator.language ?? "en").startsWith("zh") ? "zh" : "en";
}

function stored() {
  try {
    return localStorage.getItem("language");
  } catch {
    return null; // a page from disk, or storage that is forbidden
  }
}

/** Chooses a language for this and later pages. */
export async function choose(chosen) {
  try {
    localStorage.setItem("language", chosen);
  } catch {
    // then for this page only
  }
  await speak(document, chosen);
}

/** Puts the words of a language in all that is marked with data-word. */
export async function speak(root, chosen) {
  words = await json(`static/words/${chosen}.json`);
  document.documentElement.lang = chosen === "zh" ? "zh-Hans" : "en";
  for (const element of root.querySelectorAll("[data-word]")) {
    const text = words[element.dataset.word];
    if (text) element.textContent = text;
  }
  document.dispatchEvent(new CustomEvent("language", { detail: chosen }));
}

/** A word by its key; {name} in it stands for a value. */
export function word(key, values = {}) {
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// Data of the site: by requests from a host, or from what a single file carries with it.
// Every module asks here and nowhere else.

const root = document.documentElement.dataset.root ?? "";
const kept = new Map();

async function found(path) {
  const carried = globalThis.CONVATLAS_FILES;
  if (carried) {
    if (!(path in carried)) throw new Error(`${path} is not in this file`);
    return new Response(carried[path]);
  }
  const answer = await fetch(root + path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer;
}

function once(kind, path, read) {
  const key = `${kind} ${path}`;
  if (!kept.has(key)) kept.set(key, found(path).then(read));
  return kept.get(key);
}

/** The JSON under a path from the site's root; asked for once. */
export const json = (path) => once("json", path, (answer) => answer.json());

/** The same as text. */
export const text = (path) => once("text", path, (answer) => answer.text());

/** The same as an ArrayBuffer; do not write into it. */
export const bytes = (path) => once("bytes", path, (answer) => answer.arrayBuffer());

/** Whether the site holds a path. */
export async function exists(path) {
  if (globalThis.CONVATLAS_FILES) return path in globalThis.CONVATLAS_FILES;
  return (await fetch(root + path, { method: "HEAD" })).ok;
}

/** The address of a path from the site's root, for links, pictures and workers. */
export const address = (path) => globalThis.CONVATLAS_ADDRESS?.(path) ?? root + path;

/** A module of the site by its path below static/, such as "live/page.js". */
export function load(path) {
  return globalThis.CONVATLAS_MODULE
    ? globalThis.CONVATLAS_MODULE(path)
    : import(`./${path}`);
}

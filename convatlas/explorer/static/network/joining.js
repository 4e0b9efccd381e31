// Row, box, claim: what one speaks of, the others show. A unit's address is its path; a row that
// stands for several units answers to each of them.

/** Every row by the paths it stands for, with the boxes and claims of the same unit. */
export function join(main) {
  const rows = rowsOf(main);
  let shown = "";
  const show = (path, scroll) => light(main, rows, (shown = path), scroll);
  main.addEventListener("drawn", () => shown && show(shown, false));
  for (const kind of ["pointerover", "focusin"])
    main.addEventListener(kind, (event) => {
      const path = pathOf(event.target);
      if (path) show(path, false);
    });
  main.addEventListener("click", (event) => {
    const box = event.target.closest?.("svg [data-path]");
    if (box) location.hash = box.dataset.path;
  });
  const arrive = () => {
    const asked = decodeURIComponent(location.hash.slice(1));
    const claim = asked.startsWith("claim-") && document.getElementById(asked);
    if (claim) show(partOf(claim) ?? "", false);
    else if (asked) show(asked, true);
  };
  window.addEventListener("hashchange", arrive);
  arrive();
}

function rowsOf(main) {
  const found = new Map();
  for (const row of main.querySelectorAll(".units tbody tr[id]")) {
    for (const path of [row.id, ...(row.dataset.also ?? "").split(" ")])
      if (path && !found.has(path)) found.set(path, row);
  }
  return found;
}

/** The unit that an element speaks of. */
function pathOf(element) {
  const box = element.closest?.("svg [data-path]");
  if (box) return box.dataset.path;
  const row = element.closest?.(".units tbody tr[id]");
  if (row) return row.id;
  const claim = element.closest?.(".claims span[id]");
  return claim && partOf(claim);
}

const partOf = (claim) => claim.querySelector("a")?.getAttribute("href")?.match(/^#(.+)/)?.[1];

/** The row of a path, or of the nearest unit around it. */
export function rowOf(rows, path) {
  for (let at = path; at; at = at.slice(0, Math.max(0, at.lastIndexOf("."))))
    if (rows.has(at)) return rows.get(at);
  return undefined;
}

function light(main, rows, path, scroll) {
  for (const lit of main.querySelectorAll(".lit")) lit.classList.remove("lit");
  const row = rowOf(rows, path);
  const unit = row?.id ?? path;
  row?.classList.add("lit");
  const boxes = boxesOf(main, rows, unit);
  for (const box of boxes) box.classList.add("lit");
  for (const claim of main.querySelectorAll(".claims span[id]")) {
    const part = partOf(claim);
    if (part && rowOf(rows, part) === row && row) claim.classList.add("lit");
  }
  if (scroll && row) row.scrollIntoView({ block: "center" });
  main.dispatchEvent(new CustomEvent("unit", { detail: unit }));
}

function boxesOf(main, rows, unit) {
  const all = [...main.querySelectorAll("svg [data-path]")];
  for (let at = unit; at; at = at.slice(0, Math.max(0, at.lastIndexOf(".")))) {
    const found = all.filter((box) => box.dataset.path === at || rows.get(box.dataset.path)?.id === at);
    if (found.length) return found;
  }
  return [];
}

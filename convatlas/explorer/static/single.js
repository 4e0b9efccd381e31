// Shows a page of a single file. No module: a plain script, run once for each page shown.
(async () => {
  const place = document.getElementById("carried");
  const packed = Uint8Array.from(atob(place.textContent), (sign) => sign.charCodeAt(0));
  place.remove();
  const opened = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const carried = await new Response(opened).json();
  const KINDS = { js: "text/javascript", mjs: "text/javascript", svg: "image/svg+xml", png: "image/png" };
  const files = {};
  for (const [path, [kind, text]] of Object.entries(carried))
    files[path] = kind === "text" ? text : Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const blob = (path) =>
    URL.createObjectURL(new Blob([files[path]], { type: KINDS[path.split(".").pop()] ?? "" }));

  const asked = new URLSearchParams(location.search).get("at");
  const at = asked in files ? asked : "index.html";
  // A link of the site as a link into this file.
  const inside = (href, from = at) => {
    const target = new URL(href, `http://site/${from}`);
    const query = target.search ? `&${target.search.slice(1)}` : "";
    return `?at=${target.pathname.slice(1)}${query}${target.hash}`;
  };
  const isOurs = (href) => href && !/^([a-z]+:|#|\?)/i.test(href);

  globalThis.CONVATLAS_FILES = files;
  globalThis.CONVATLAS_ADDRESS = (path) =>
    /\.html($|[?#])/.test(path) ? inside(path, "index.html") : blob(path);
  globalThis.CONVATLAS_MODULE = (path) => import(`convatlas/static/${path}`);

  const page = new DOMParser().parseFromString(files[at], "text/html");
  for (const name of page.documentElement.getAttributeNames())
    document.documentElement.setAttribute(name, page.documentElement.getAttribute(name));
  document.title = page.title;
  for (const link of page.querySelectorAll("a[href]"))
    if (isOurs(link.getAttribute("href"))) link.setAttribute("href", inside(link.getAttribute("href")));
  for (const image of page.querySelectorAll("img[src]"))
    if (isOurs(image.getAttribute("src")))
      image.src = blob(new URL(image.getAttribute("src"), `http://site/${at}`).pathname.slice(1));
  document.body.replaceChildren(...page.body.childNodes);
  document.addEventListener("click", (event) => {
    const href = event.target.closest?.("a[href]")?.getAttribute("href");
    if (!isOurs(href) || event.defaultPrevented) return;
    event.preventDefault();
    location.assign(inside(href));
  });

  const imports = {};
  for (const path in files) if (/\.m?js$/.test(path)) imports[`convatlas/${path}`] = blob(path);
  const map = Object.assign(document.createElement("script"), { type: "importmap" });
  map.textContent = JSON.stringify({ imports });
  document.head.append(map);
  const { start } = await import("convatlas/static/atlas.js");
  await start();
  if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
})();

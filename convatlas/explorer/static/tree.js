// The family tree: a network shows its own steps, back to its ancestors and on to what builds on it.

export function mount(main) {
  const edges = [...main.querySelectorAll(".edge")];
  const show = (name) => {
    const kin = name ? family(edges, name) : undefined;
    for (const edge of edges)
      edge.classList.toggle("dim", Boolean(kin) && !(kin.has(edge.dataset.older) && kin.has(edge.dataset.newer)));
    for (const node of main.querySelectorAll(".node"))
      node.classList.toggle("dim", Boolean(kin) && !kin.has(node.dataset.name));
  };
  for (const [kind, on] of [["pointerover", true], ["focusin", true], ["pointerout", false], ["focusout", false]])
    main.querySelector("svg.tree").addEventListener(kind, (event) =>
      show(on ? event.target.closest(".node")?.dataset.name : undefined),
    );
}

/** The network, all it builds on, and all that builds on it. */
function family(edges, name) {
  const found = new Set([name]);
  for (const [from, to] of [["newer", "older"], ["older", "newer"]]) {
    const ends = [name];
    for (const end of ends)
      for (const edge of edges)
        if (edge.dataset[from] === end && !ends.includes(edge.dataset[to])) ends.push(edge.dataset[to]);
    for (const end of ends) found.add(end);
  }
  return found;
}

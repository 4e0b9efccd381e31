// Sizes and multiply-adds for any input size, from the steps that stand in the table.
// The same arithmetic as explorer/steps.py.

/** Heights of the input and of the map after each step; 0 where nothing is left. */
export function sizes(steps, height) {
  const found = [height];
  for (const [after, kernel, stride, padding = 0, rounding = "floor"] of steps)
    found.push(Math.max(0, one(found[after], kernel, stride, padding, rounding)));
  return found;
}

function one(height, kernel, stride, padding, rounding) {
  if (rounding === "same") return Math.ceil(height / stride);
  const room = height + 2 * padding - kernel;
  if (rounding === "floor") return Math.floor(room / stride) + 1;
  const size = Math.ceil(room / stride) + 1; // no window begins beyond the map and its padding
  return (size - 1) * stride >= height + padding ? size - 1 : size;
}

/** The table with its own figures and the way to those for another size. */
export function sizedTable(table) {
  const steps = JSON.parse(table.dataset.steps);
  const printed = Number(table.dataset.size);
  const before = sizes(steps, printed);
  const rows = [...table.tBodies[0].rows].map(rowOf);
  let stage;
  for (const row of rows)
    if (row.stage) stage = row;
    else stage.units.push(row);
  return {
    printed,
    bound: table.dataset.bound,
    /** Shows the figures for a size. Returns the multiply-adds of the network, NaN if it cannot read it. */
    show(size) {
      const now = sizes(steps, size);
      let total = 0;
      for (const row of rows) {
        const macs = work(row, before, now);
        const side = now[row.step] ?? 0;
        const output = row.step < 0 ? row.output : row.output.replace(/x.*$/, `x${side}x${side}`);
        const lost = side < 1 && row.step >= 0;
        row.cells[2].textContent = lost ? "–" : output;
        row.cells[4].textContent = lost || !macs ? "" : Math.round(macs).toLocaleString("en-US");
        if (row.stage) total += macs;
      }
      const last = Math.max(...rows.map((row) => row.step));
      const lost = now.some((side) => side < 1);
      const other = table.dataset.bound && now[last] !== before[last];
      return lost || other ? NaN : total;
    },
  };
}

/** A row's multiply-adds; of a stage that is parted into units, theirs. */
function work(row, before, now) {
  if (row.units.length) return row.units.reduce((sum, unit) => sum + work(unit, before, now), 0);
  return row.work.reduce((sum, [step, count]) => sum + count * growth(step, before, now), 0);
}

function growth(step, before, now) {
  return step < 0 ? 1 : (now[step] / before[step]) ** 2;
}

function rowOf(row) {
  const cells = [...row.cells];
  const count = (text) => Number(text.replaceAll(",", ""));
  const step = Number(row.dataset.n);
  const work = row.dataset.m
    ? row.dataset.m.split(" ").map((part) => part.split(":").map(Number))
    : [[step, count(cells[4].textContent)]];
  return { cells, step, work, output: cells[2].textContent, stage: row.classList.contains("stage"), units: [] };
}

/** Where a unit's window lies: [first pixel, last pixel] of an axis, for its place in its map. */
export function windowOf(steps, step, field, place) {
  let [jump, start] = [1, 0]; // the centre of the first unit's window, in pixels
  const way = [];
  for (let at = step; at > 0; at = steps[at - 1][0]) way.unshift(steps[at - 1]);
  for (const [, kernel, stride, padding = 0] of way) {
    start += ((kernel - 1) / 2 - padding) * jump;
    jump *= stride;
  }
  const centre = start + place * jump;
  return [centre - (field - 1) / 2, centre + (field - 1) / 2];
}

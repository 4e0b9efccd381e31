// All maps of one value in a mosaic: a canvas in which each map is a tile, and a place in it that
// pointer or arrow keys choose.

const GAP = 1;

/** Columns and rows of tiles for maps of this shape, and how many pixels of the screen one of
 * theirs takes. */
export function layout([maps, height = 1, width = 1], available) {
  const zoom = Math.max(1, Math.min(12, Math.floor(64 / Math.max(height, width))));
  const tile = (width + GAP) * zoom;
  const columns = Math.max(1, Math.min(maps, Math.floor(available / tile)));
  return { maps, height, width, zoom, columns, rows: Math.ceil(maps / columns) };
}

/** Paints the maps: grey from black where `signed` is false, else blue through white to orange. */
export function paint(canvas, data, grid) {
  const { maps, height, width, columns, rows, zoom } = grid;
  canvas.width = columns * (width + GAP) - GAP;
  canvas.height = rows * (height + GAP) - GAP;
  canvas.style.width = `${canvas.width * zoom}px`;
  canvas.style.height = `${canvas.height * zoom}px`;
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const largest = strongest(data);
  for (let map = 0; map < maps; map++) {
    const [left, top] = corner(grid, map);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const value = data[(map * height + y) * width + x] / largest;
        image.data.set(colour(value), 4 * ((top + y) * canvas.width + left + x));
      }
  }
  context.putImageData(image, 0, 0);
}

/** The largest absolute value, 1 where all are 0. */
export function strongest(data) {
  let largest = 0;
  for (const value of data) if (Math.abs(value) > largest) largest = Math.abs(value);
  return largest || 1;
}

/** -1 blue, 0 nearly white, 1 dark orange: told apart by all who see colours otherwise. */
export function colour(value) {
  const share = Math.min(Math.abs(value), 1);
  const end = value < 0 ? [18, 78, 150] : [179, 71, 0];
  return [...end.map((one) => Math.round(247 + (one - 247) * share)), 255];
}

function corner({ columns, width, height }, map) {
  return [(map % columns) * (width + GAP), Math.floor(map / columns) * (height + GAP)];
}

/** The place of values under a point of the canvas, given in its own pixels; -1 between tiles. */
export function placeAt(grid, x, y) {
  const { maps, columns, width, height } = grid;
  const column = Math.floor(x / (width + GAP));
  const map = Math.floor(y / (height + GAP)) * columns + column;
  const [left, top] = corner(grid, map);
  const outside = column >= columns || map >= maps || x - left >= width || y - top >= height;
  return outside || x < 0 || y < 0 ? -1 : (map * height + Math.floor(y - top)) * width + Math.floor(x - left);
}

/** Where a value lies on the canvas, in pixels of the screen: {left, top, side}. */
export function spot(grid, place) {
  const { width, height, zoom } = grid;
  const map = Math.floor(place / (width * height));
  const [left, top] = corner(grid, map);
  const inside = place % (width * height);
  return {
    left: (left + (inside % width)) * zoom,
    top: (top + Math.floor(inside / width)) * zoom,
    side: zoom,
  };
}

/** The place that an arrow key leads to: a pixel on, or at the border of a map into the next. */
export function moved(grid, place, key) {
  const { maps, height, width, columns } = grid;
  const area = width * height;
  let map = Math.floor(place / area);
  let [y, x] = [Math.floor((place % area) / width), place % width];
  const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  if (key === "PageDown" || key === "PageUp") map += key === "PageDown" ? 1 : -1;
  else {
    const [down, right] = steps[key];
    [y, x] = [y + down, x + right];
    if (x < 0 || x >= width) [map, x] = [map + right, right < 0 ? width - 1 : 0];
    if (y < 0 || y >= height) [map, y] = [map + down * columns, down < 0 ? height - 1 : 0];
  }
  return map < 0 || map >= maps ? place : map * area + y * width + x;
}

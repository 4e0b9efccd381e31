// Digits as MNIST has them: light on dark, in a box of 20 pixels, the centre of their mass in the
// middle of 28. And one of each, in strokes, for those who do not draw.

import { cut, scaled } from "./picture.js";

const BOX = 20;
const FIELD = 28;
const FINE = 32;
const WIDEST = 22;
const BLOCK = 4;
const FAINT = 40; // of 255: less is no ink

/** Strokes of the digits 0 to 9, each a list of points in a square of 100, curves being many. */
export const STROKES = [
  [arc(50, 50, 24, 36, 0, 360)],
  [[[36, 30], [54, 14], [54, 86]]],
  [[...arc(50, 34, 22, 20, 190, 390), [28, 86], [76, 86]]],
  [[...arc(48, 32, 22, 18, 200, 440), ...arc(48, 67, 25, 19, 280, 520)]],
  [[[58, 14], [24, 62], [78, 62]], [[62, 40], [62, 88]]],
  [[[72, 15], [34, 15], [31, 46], ...arc(48, 64, 24, 22, 225, 510)]],
  [[[64, 13], [42, 34], ...arc(50, 65, 23, 22, 190, 550)]],
  [[[26, 16], [75, 16], [44, 88]]],
  [arc(50, 32, 19, 18, 90, 450), arc(50, 68, 23, 19, 270, 630)],
  [[...arc(48, 35, 22, 21, 20, 380), [68, 40], [60, 88]]],
];

function arc(x, y, width, height, from, to) {
  const steps = Math.ceil((to - from) / 15);
  return Array.from({ length: steps + 1 }, (_, step) => {
    const angle = ((from + ((to - from) * step) / steps) * Math.PI) / 180;
    return [x + width * Math.cos(angle), y + height * Math.sin(angle)];
  });
}

/** Draws strokes into a square context, white on black; `pen` is the line's share of the side. */
export function drawn(context, strokes, side, pen) {
  blank(context, side, pen);
  for (const stroke of strokes) {
    context.beginPath();
    for (const [x, y] of stroke) context.lineTo((x * side) / 100, (y * side) / 100);
    context.stroke();
  }
}

/** A black field, and the pen for it. */
export function blank(context, side, pen) {
  context.fillStyle = "#000";
  context.fillRect(0, 0, side, side);
  Object.assign(context, {
    strokeStyle: "#fff", lineWidth: side * pen, lineCap: "round", lineJoin: "round",
  });
}

/** A drawing of one channel, light on dark, as MNIST would hold it; null where nothing is drawn. */
export function asInMnist(drawing) {
  const ink = inked(drawing);
  if (!ink) return null;
  const share = BOX / Math.max(ink.height, ink.width);
  const to = (length) => Math.max(1, Math.round(length * share));
  return centred(scaled(ink, to(ink.height), to(ink.width)));
}

function centred(digit) {
  const [y, x] = massOf(digit);
  return cut(digit, Math.round(y - FIELD / 2), Math.round(x - FIELD / 2), FIELD, FIELD);
}

/** The same as the built-in digits hold it: as high as 32 pixels and narrower, black and white, the
 * white ones counted in blocks of 4 x 4, and these drawn larger. */
export function asInDigits(drawing) {
  const ink = inked(drawing);
  if (!ink) return null;
  const wide = Math.max(1, Math.round(Math.min((ink.width * FINE) / ink.height, WIDEST)));
  const fine = scaled(ink, FINE, wide);
  const blocks = counted(cut(fine, 0, Math.floor((wide - FINE) / 2), FINE, FINE));
  return centred(scaled(blocks, BOX, BOX));
}

function counted({ data }) {
  const count = FINE / BLOCK;
  const blocks = new Float32Array(count * count);
  for (let place = 0; place < data.length; place++) {
    const y = Math.floor(place / FINE / BLOCK);
    const x = Math.floor((place % FINE) / BLOCK);
    if (data[place] > 127) blocks[y * count + x] += 255 / BLOCK ** 2;
  }
  return { height: count, width: count, channels: 1, data: blocks };
}

/** Whether a picture shows dark ink on light ground, which MNIST's does not. */
export function isDarkOnLight({ height, width, data }) {
  const border = [];
  for (let x = 0; x < width; x++) border.push(data[x], data[(height - 1) * width + x]);
  for (let y = 0; y < height; y++) border.push(data[y * width], data[y * width + width - 1]);
  border.sort((a, b) => a - b);
  return border[border.length >> 1] > 127;
}

/** The part of a drawing that holds its ink; null where there is none. */
function inked(drawing) {
  const { height, width, data } = drawing;
  let top = height, left = width, bottom = -1, right = -1;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      if (data[y * width + x] < FAINT) continue;
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
      [left, right] = [Math.min(left, x), Math.max(right, x)];
    }
  return bottom < top ? null : cut(drawing, top, left, bottom - top + 1, right - left + 1);
}

function massOf({ height, width, data }) {
  let mass = 0, down = 0, across = 0;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const ink = data[y * width + x];
      mass += ink;
      down += ink * (y + 0.5);
      across += ink * (x + 0.5);
    }
  return [down / mass, across / mass];
}

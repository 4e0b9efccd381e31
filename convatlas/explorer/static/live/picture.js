// From a picture of any size to what a network reads: the twin of data/preprocess.py, to one step of
// 255. Pictures are {height, width, channels, data: Float32Array of 0..255, plane after plane}.

const LUMA = [19595, 38470, 7471]; // ITU-R BT.601 in 65536ths
const STRIP = 4; // a picture longer than this many widths loses its ends before it is scaled

/** What a canvas or a decoded file holds, as red, green and blue planes. */
export function planes({ width, height, data }) {
  const area = width * height;
  const found = new Float32Array(3 * area);
  for (let place = 0; place < area; place++)
    for (let channel = 0; channel < 3; channel++)
      found[channel * area + place] = data[4 * place + channel];
  return { height, width, channels: 3, data: found };
}

/** As `prep` (the record beside the weights) says, (channels, side, side) of 0..255. */
export function fitted(picture, prep) {
  picture = inChannels(picture, prep.channels);
  const { fit, side, content } = prep;
  const { height, width } = picture;
  if (fit === "pad") return padded(picture, side, content);
  if (fit === "squash") return centre(scaled(picture, content, content), side);
  const short = Math.min(height, width);
  if (fit === "resize" && content <= side)
    return scaled(middle(picture, short, short), side, side);
  const tall = Math.min(height, STRIP * short);
  const wide = Math.min(width, STRIP * short);
  const strip = middle(picture, tall, wide);
  const to = (length) => Math.floor((length * content) / short);
  return centre(scaled(strip, to(tall), to(wide)), side);
}

/** What the network reads: each channel with the training set's mean 0 and deviation 1. */
export function normalised({ channels, data }, { mean, std }) {
  const area = data.length / channels;
  return data.map((value, place) => {
    const channel = Math.floor(place / area);
    return (value - 255 * mean[channel]) / (255 * std[channel]);
  });
}

function inChannels(picture, channels) {
  if (picture.channels === channels) return picture;
  const { height, width, data } = picture;
  const area = height * width;
  const grey = new Float32Array(area);
  for (let place = 0; place < area; place++) {
    const sum = LUMA.reduce((all, luma, channel) => all + luma * data[channel * area + place], 0);
    grey[place] = Math.floor((sum + 32768) / 65536);
  }
  return { height, width, channels: 1, data: grey };
}

/** Set unscaled into the middle of a black field, where it fills 3/4 of it and fits. */
function padded(picture, side, content) {
  const longer = Math.max(picture.height, picture.width);
  if (longer > content || longer < 0.75 * side || longer > side) {
    const to = (length) => Math.max(1, even((length * content) / longer));
    picture = scaled(picture, to(picture.height), to(picture.width));
  }
  const top = Math.floor((side - picture.height) / 2);
  const left = Math.floor((side - picture.width) / 2);
  return cut(picture, -top, -left, side, side);
}

function middle(picture, height, width) {
  const top = Math.floor((picture.height - height) / 2);
  const left = Math.floor((picture.width - width) / 2);
  return cut(picture, top, left, height, width);
}

function centre(picture, side) {
  const top = even((picture.height - side) / 2);
  const left = even((picture.width - side) / 2);
  return cut(picture, top, left, side, side);
}

/** The nearest whole number, of two that are equally near the even one: Python's round. */
function even(value) {
  const low = Math.floor(value);
  if (value - low !== 0.5) return Math.round(value);
  return low % 2 ? low + 1 : low;
}

/** Part of a picture; black where there is none. */
export function cut(picture, top, left, height, width) {
  const data = new Float32Array(picture.channels * height * width);
  let place = 0;
  for (let channel = 0; channel < picture.channels; channel++)
    for (let y = top; y < top + height; y++)
      for (let x = left; x < left + width; x++) {
        const inside = y >= 0 && y < picture.height && x >= 0 && x < picture.width;
        const from = (channel * picture.height + y) * picture.width + x;
        data[place++] = inside ? picture.data[from] : 0;
      }
  return { height, width, channels: picture.channels, data };
}

/** Bilinear and antialiased: each new pixel is a mean of all that it covers, those in the middle
 * counting most. Rows first, then columns, whole steps after each. */
export function scaled(picture, height, width) {
  const { channels } = picture;
  const across = filter(picture.width, width);
  const down = filter(picture.height, height);
  const rows = new Float32Array(channels * picture.height * width);
  for (let line = 0; line < channels * picture.height; line++)
    for (let x = 0; x < width; x++)
      rows[line * width + x] = sum(across[x], (from) => picture.data[line * picture.width + from]);
  const data = new Float32Array(channels * height * width);
  for (let channel = 0; channel < channels; channel++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        data[(channel * height + y) * width + x] = sum(
          down[y], (from) => rows[(channel * picture.height + from) * width + x],
        );
  return { height, width, channels, data };
}

function sum({ first, weights }, value) {
  let total = 0;
  for (let place = 0; place < weights.length; place++) total += weights[place] * value(first + place);
  return Math.min(Math.max(Math.floor(total + 0.5), 0), 255);
}

/** For each new pixel the first old one that it covers, and the weights of that and the next. */
function filter(before, after) {
  const scale = before / after;
  const reach = Math.max(scale, 1);
  return Array.from({ length: after }, (_, place) => {
    const middle = (place + 0.5) * scale;
    const first = Math.max(Math.trunc(middle - reach + 0.5), 0);
    const end = Math.min(Math.trunc(middle + reach + 0.5), before);
    const raw = Array.from({ length: end - first }, (_, step) =>
      Math.max(0, 1 - Math.abs((first + step - middle + 0.5) / reach)));
    const whole = raw.reduce((total, one) => total + one, 0);
    return { first, weights: raw.map((one) => one / whole) };
  });
}

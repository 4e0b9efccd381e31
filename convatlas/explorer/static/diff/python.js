// How Python compares and writes values, where JavaScript does it otherwise: what `convatlas diff`
// prints must come out here letter for letter.

/** A whole number that Python holds as a float: 2.0, which JSON would make the int 2. */
export class Float {
  constructor(value) {
    this.value = value;
  }
}

export function isFloat(value) {
  return value instanceof Float || (typeof value === "number" && !Number.isInteger(value));
}

/** The number behind a Float or a truth value; all else as it is. */
export function plain(value) {
  if (value instanceof Float) return value.value;
  return typeof value === "boolean" ? Number(value) : value;
}

/** A setting whose equals in Python, 1, 1.0 and True, are all 1. */
export const leveled = (value) => (Array.isArray(value) ? value.map(leveled) : plain(value));

const NUMBERS = new Map();

/** A number for each text: the same one for the same text. Stands in for Python's hashes. */
export function numbered(text) {
  if (!NUMBERS.has(text)) NUMBERS.set(text, NUMBERS.size);
  return NUMBERS.get(text);
}

/** Python's ==, of settings: tuples are arrays, None is null or missing. */
export function equal(a, b) {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((each, i) => equal(each, b[i]));
  }
  return plain(a ?? null) === plain(b ?? null);
}

/** Below zero where tuple a comes before b. */
export function order(a, b) {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [x, y] = [plain(a[i]), plain(b[i])];
    if (x !== y) return x < y ? -1 : 1;
  }
  return a.length - b.length;
}

export const byCode = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** repr(value): tells 1 from 1.0 and from True. */
export function repr(value) {
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) {
    const inside = value.map(repr).join(", ");
    return value.length === 1 ? `(${inside},)` : `(${inside})`;
  }
  if (typeof value === "string") return `'${value}'`;
  return isFloat(value) ? floatText(plain(value)) : String(value);
}

/** str(value) */
export function text(value) {
  return typeof value === "string" ? value : repr(value);
}

function floatText(x) {
  if (!Number.isFinite(x)) return x > 0 ? "inf" : x < 0 ? "-inf" : "nan";
  if (x === 0) return Object.is(x, -0) ? "-0.0" : "0.0";
  const size = Math.abs(x);
  if (size < 1e-4 || size >= 1e16) return twoDigits(x.toExponential());
  return Number.isInteger(x) ? `${x}.0` : String(x);
}

/** 1e-5 -> 1e-05 */
function twoDigits(written) {
  return written.replace(/e([+-])(\d)$/, "e$10$2");
}

/** f"{value:.{digits}g}" */
export function general(value, digits) {
  const x = plain(value);
  if (x === 0 || !Number.isFinite(x)) return x === 0 ? "0" : floatText(x);
  const [figures, exponent] = rounded(x, digits);
  const sign = x < 0 ? "-" : "";
  const bare = figures.replace(/0+$/, "") || "0";
  if (exponent < -4 || exponent >= digits) {
    const point = bare.length > 1 ? "." : "";
    const power = `${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
    return `${sign}${bare[0]}${point}${bare.slice(1)}e${power}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${bare}`;
  const whole = figures.slice(0, exponent + 1);
  const rest = figures.slice(exponent + 1).replace(/0+$/, "");
  return sign + whole + (rest ? `.${rest}` : "");
}

/** The first digits and the power of ten of the first, half to even as Python rounds. */
function rounded(x, digits) {
  const [mantissa, power] = Math.abs(x).toExponential(90).split("e");
  const all = mantissa.replace(".", "");
  const kept = BigInt(all.slice(0, digits));
  const rest = all.slice(digits);
  const half = `5${"0".repeat(rest.length - 1)}`;
  const up = rest > half || (rest === half && kept % 2n === 1n);
  const figures = String(kept + (up ? 1n : 0n));
  const longer = figures.length > digits ? 1 : 0; // 9.9996 -> 10.000
  return [figures.slice(0, digits), Number(power) + longer];
}

/** f"{value:.{places}f}" of a number that is not negative, half to even. */
export function fixed(value, places) {
  const [whole, part] = value.toFixed(60).split(".");
  const kept = BigInt(whole + part.slice(0, places));
  const rest = part.slice(places);
  const half = `5${"0".repeat(rest.length - 1)}`;
  const up = rest > half || (rest === half && kept % 2n === 1n);
  const figures = String(kept + (up ? 1n : 0n)).padStart(places + 1, "0");
  return places ? `${figures.slice(0, -places)}.${figures.slice(-places)}` : figures;
}

/** f"{count:,}" */
export function thousands(count) {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** f"{count:+,}" */
export function signed(count) {
  return `${count < 0 ? "-" : "+"}${thousands(Math.abs(count))}`;
}

/** (64, 56, 56) -> "64x56x56" */
export function by(sizes) {
  return (sizes ?? []).map(text).join("x");
}

/** Neighbours of equal key together: [[key, items], ...] */
export function groupby(items, key = (item) => item) {
  const groups = [];
  for (const item of items) {
    const of = key(item);
    const last = groups.at(-1);
    if (last && last[0] === of) last[1].push(item);
    else groups.push([of, [item]]);
  }
  return groups;
}

/** How often each comes, in the order of their first coming. */
export function counted(items) {
  const counts = new Map();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}

/** The list under a key, made where there is none. */
export function listOf(map, key) {
  if (!map.has(key)) map.set(key, []);
  return map.get(key);
}

/** "a.b.c" -> ["a.b", "c"] */
export function parted(path) {
  const dot = path.lastIndexOf(".");
  return dot < 0 ? ["", path] : [path.slice(0, dot), path.slice(dot + 1)];
}

export const sum = (numbers) => numbers.reduce((total, each) => total + each, 0);
export const product = (numbers) => numbers.reduce((total, each) => total * each, 1);

// As much of protobuf as it takes to write an ONNX file: numbers, bytes, messages in messages.

const TEXT = new TextEncoder();

/** A message: [[field, what], ...]; what is a whole number, a text, bytes or another message. Lists
 * are written as the field again and again. */
export function message(fields) {
  const parts = [];
  for (const [field, what] of fields)
    for (const one of Array.isArray(what) ? what : [what]) parts.push(...written(field, one));
  return joined(parts);
}

/** A number of 32 bits with a point, which stands in a message as it is. */
export const float = (value) => ({ bits: new Uint8Array(Float32Array.of(value).buffer) });

function written(field, what) {
  if (typeof what === "number") return [varint(field << 3), varint(what)];
  if (what.bits) return [varint((field << 3) | 5), what.bits];
  const bytes = typeof what === "string" ? TEXT.encode(what) : what;
  return [varint((field << 3) | 2), varint(bytes.length), bytes];
}

/** Seven bits a byte, the lowest first; a negative number takes ten bytes. */
function varint(value) {
  const found = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) found.push(Number(rest & 127n) | 128);
  return Uint8Array.of(...found, Number(rest));
}

function joined(parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}

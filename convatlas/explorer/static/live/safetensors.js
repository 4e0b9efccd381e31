// The safetensors format: eight bytes that say how long the JSON header is, the header, the numbers.

/** The tensors of a file: name -> {shape, data: Float32Array}. `buffer` is an ArrayBuffer. */
export function tensors(buffer) {
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const found = {};
  for (const [name, about] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const [begin, end] = about.data_offsets.map((offset) => 8 + length + offset);
    found[name] = { shape: about.shape, data: numbers(buffer.slice(begin, end), about.dtype) };
  }
  return found;
}

function numbers(buffer, dtype) {
  if (dtype === "F32") return new Float32Array(buffer);
  if (dtype === "F16") return Float32Array.from(new Uint16Array(buffer), half);
  throw new Error(`weights of type ${dtype} are not read here`);
}

/** A number of 16 bits: 1 sign, 5 exponent, 10 fraction. */
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  if (exponent === 0) return sign * fraction * 2 ** -14;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction) * 2 ** (exponent - 15);
}

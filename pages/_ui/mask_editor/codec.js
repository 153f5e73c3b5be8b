// The run-length code of a mask, the same as `colpo_core/images/masks.py` reads and writes: lengths of runs in
// row-major order, background first (0 where the mask starts in the foreground), each an unsigned LEB128 varint.
// A mask is a Uint8Array of 0 and 1.

function encodeRle(mask) {
  let code = new Uint8Array(1024);
  let size = 0;
  let value = 0;
  let start = 0;
  while (start < mask.length) {
    let end = mask.indexOf(value ^ 1, start);
    if (end < 0) end = mask.length;
    if (size + 5 > code.length) {
      const larger = new Uint8Array(code.length * 2);
      larger.set(code);
      code = larger;
    }
    let run = end - start;
    while (run >= 0x80) {
      code[size++] = (run & 0x7f) | 0x80;
      run >>>= 7;
    }
    code[size++] = run;
    start = end;
    value ^= 1;
  }
  return code.slice(0, size);
}

function decodeRle(code, nPixels) {
  const mask = new Uint8Array(nPixels);
  let place = 0;
  let value = 0;
  let run = 0;
  let shift = 0;
  for (const byte of code) {
    run += (byte & 0x7f) * 2 ** shift;
    shift += 7;
    if (byte & 0x80) continue;
    if (place + run > nPixels) throw new Error("the mask does not fit its image");
    if (value) mask.fill(1, place, place + run);
    place += run;
    value ^= 1;
    run = 0;
    shift = 0;
  }
  if (place !== nPixels || shift !== 0) throw new Error("the mask does not fit its image");
  return mask;
}

function sameBytes(a, b) {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function bytesFromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

function base64FromBytes(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}

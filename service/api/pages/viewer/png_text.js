const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = (value >>> 1) ^ (value & 1 && 0xedb88320);
  return value;
});
const HEADER_END = 33; // of signature and IHDR

/** Return a PNG with a text as iTXt chunk "Description" (PNG specification, 11.3.3.4). */
export async function withText(png, text) {
  const body = new TextEncoder().encode(`iTXtDescription\0\0\0\0\0${text}`);
  const sum = body.reduce((crc, byte) => TABLE[(crc ^ byte) & 255] ^ (crc >>> 8), -1);
  const parts = [png.slice(0, HEADER_END), uint32(body.length - 4), body, uint32(~sum)];
  return new Blob([...parts, png.slice(HEADER_END)], { type: "image/png" });
}

function uint32(value) {
  const bytes = new DataView(new ArrayBuffer(4));
  bytes.setUint32(0, value);
  return bytes;
}

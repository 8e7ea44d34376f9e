// Images as one tar (POSIX.1-1988 ustar), so that a set of them is one resumable upload. Nothing is copied: the blob
// is made of the files and their headers.

const BLOCK = 512;
const NAME_BYTES = 100;

/** @param files in any order: the server takes them in the natural order of their names. */
export function tar(files) {
  const used = new Set();
  const parts = files.flatMap((file, index) => [
    header(uniqueName(file.name, index, used), file.size), file, new Uint8Array((BLOCK - (file.size % BLOCK)) % BLOCK),
  ]);
  return new Blob([...parts, new Uint8Array(2 * BLOCK)], { type: "application/x-tar" });
}

/** A name keeps what sorts it, and loses what could be a path. */
function uniqueName(name, index, used) {
  let safe = name.replace(/[^A-Za-z0-9._-]/g, "_").replace(/^\./, "_").slice(-NAME_BYTES);
  if (used.has(safe)) safe = `${safe.slice(0, 80)}_${index}${safe.match(/\.\w{1,5}$/)?.[0] ?? ""}`;
  used.add(safe);
  return safe;
}

function header(name, size) {
  const block = new Uint8Array(BLOCK);
  const put = (text, at) => block.set(new TextEncoder().encode(text), at);
  const octal = (value, digits) => value.toString(8).padStart(digits, "0");
  put(name, 0);
  put("0000644\0", 100);
  put("0000000\0", 108);
  put("0000000\0", 116);
  put(`${octal(size, 11)}\0`, 124);
  put("00000000000\0", 136);
  put("        ", 148);
  put("0", 156);
  put("ustar\0" + "00", 257);
  put(`${octal(block.reduce((sum, byte) => sum + byte, 0), 6)}\0 `, 148);
  return block;
}

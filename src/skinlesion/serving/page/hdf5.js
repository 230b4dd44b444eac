// The challenge's HDF5 file of tiles: a root group with one scalar dataset of bytes per lesion.
// Reads what h5py writes by default (superblock 0 or 1, groups as symbol tables) and no more:
// https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html

const SIGNATURE = "\x89HDF\r\n\x1a\n";
const MAX_BYTES = 2 ** 28; // the file is read into memory once, to find the tiles in it
const CONTINUATION = 0x10;
const LAYOUT = 0x08;
const [COMPACT, CONTIGUOUS] = [0, 1];

/** Find the tiles of a file. Gives [isic_id, Blob] pairs; a Blob is read when it is used. */
export async function openTiles(file) {
  if (file.size > MAX_BYTES) {
    const size = `${Math.round(file.size / 2 ** 20)} MiB`;
    throw new Error(`${file.name} has ${size}, too much for a page; skinlesion score reads it`);
  }
  const bytes = new Bytes(await file.arrayBuffer());
  if (bytes.text(0, 8) !== SIGNATURE) throw new Error(`${file.name} is not an HDF5 file`);
  try {
    return [...datasets(bytes)].map(([name, [start, size]]) => [
      name.replace(/\.(jpe?g|png)$/i, ""),
      file.slice(start, start + size, "image/jpeg"),
    ]);
  } catch (error) {
    const why = error instanceof RangeError ? "it is cut short" : error.message;
    throw new Error(`${file.name} must be a file of tiles as h5py writes it: ${why}`);
  }
}

class Bytes extends DataView {
  address(at) {
    return Number(this.getBigUint64(at, true));
  }
  short(at) {
    return this.getUint16(at, true);
  }
  text(at, length) {
    return String.fromCharCode(...new Uint8Array(this.buffer, at, length));
  }
  name(at) {
    const bytes = new Uint8Array(this.buffer, at);
    return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
  }
  expect(at, signature) {
    if (this.text(at, 4) !== signature) throw new Error(`${signature} is not where it should be`);
  }
}

/** Yields [name, [start, size]] of each dataset of the root group. */
function* datasets(bytes) {
  const version = bytes.getUint8(8);
  if (version > 1) throw new Error(`its superblock is of version ${version}`);
  if (bytes.getUint8(13) !== 8 || bytes.getUint8(14) !== 8)
    throw new Error("its addresses are short");
  const root = 24 + 4 * version + 32; // the symbol table entry of the root group
  if (bytes.getUint32(root + 16, true) !== 1) throw new Error("its root group has no symbol table");
  const heap = bytes.address(root + 32);
  bytes.expect(heap, "HEAP");
  const names = bytes.address(heap + 24);
  for (const [name, header] of entries(bytes, bytes.address(root + 24))) {
    const place = contents(bytes, header);
    if (place) yield [bytes.name(names + name), place];
  }
}

/** Yields the offset of the name and the address of the header of each link below a B-tree node. */
function* entries(bytes, node) {
  bytes.expect(node, "TREE");
  const level = bytes.getUint8(node + 5);
  for (let i = 0; i < bytes.short(node + 6); i++) {
    const child = bytes.address(node + 32 + 16 * i);
    if (level > 0) {
      yield* entries(bytes, child);
      continue;
    }
    bytes.expect(child, "SNOD");
    for (let j = 0; j < bytes.short(child + 6); j++) {
      const entry = child + 8 + 40 * j;
      yield [bytes.address(entry), bytes.address(entry + 8)];
    }
  }
}

/** Where the bytes of a dataset lie: [start, size]; null where they are not in one piece. */
function contents(bytes, header) {
  const pieces = [[header + 16, bytes.getUint32(header + 8, true)]];
  for (const [start, length] of pieces) {
    for (let at = start; at + 8 <= start + length; at += 8 + bytes.short(at + 2)) {
      const [type, data] = [bytes.short(at), at + 8];
      if (type === CONTINUATION) pieces.push([bytes.address(data), bytes.address(data + 8)]);
      if (type !== LAYOUT || bytes.getUint8(data) !== 3) continue;
      const kind = bytes.getUint8(data + 1);
      if (kind === COMPACT) return [data + 4, bytes.short(data + 2)];
      if (kind === CONTIGUOUS) return [bytes.address(data + 2), bytes.address(data + 10)];
    }
  }
  return null;
}

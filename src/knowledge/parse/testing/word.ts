/**
 * A small writer of Word 97 documents, for tests: an OLE compound file with the two streams that hold text (MS-CFB, MS-DOC).
 *
 * @module knowledge/parse/testing/word
 */

const SECTOR = 512;
/** Streams below 4,096 bytes live elsewhere in the file: these are made longer. */
const LEAST_STREAM = 4_096;
const END = -2;
const FREE = -1;
const TABLE = -3;

function padded(bytes: Buffer): Buffer {
  const length = Math.max(LEAST_STREAM, Math.ceil(bytes.length / SECTOR) * SECTOR);
  return Buffer.concat([bytes], length);
}

function entry(
  name: string,
  type: number,
  options: { right?: number; child?: number; sector?: number; size?: number },
): Buffer {
  const out = Buffer.alloc(128);
  out.write(name, 'utf16le');
  out.writeUInt16LE(2 * name.length + 2, 64);
  out.writeUInt8(type, 66);
  out.writeUInt8(1, 67);
  out.writeInt32LE(FREE, 68);
  out.writeInt32LE(options.right ?? FREE, 72);
  out.writeInt32LE(options.child ?? FREE, 76);
  out.writeInt32LE(options.sector ?? 0, 116);
  out.writeInt32LE(options.size ?? 0, 120);
  return out;
}

/** An OLE compound file with two streams. Its sectors: table, directory, first stream, second stream. */
export function compoundFile(
  first: readonly [string, Buffer],
  second: readonly [string, Buffer],
): Uint8Array {
  const streams = [padded(first[1]), padded(second[1])] as const;
  const sectors = streams.map((stream) => stream.length / SECTOR) as [number, number];
  const starts = [2, 2 + sectors[0]] as const;
  const table = Buffer.alloc(SECTOR, 0xff);
  table.writeInt32LE(TABLE, 0);
  table.writeInt32LE(END, 4);
  for (const index of [0, 1] as const)
    for (let at = 0; at < sectors[index]; at += 1)
      table.writeInt32LE(at + 1 < sectors[index] ? starts[index] + at + 1 : END, 4 * (starts[index] + at));
  const header = Buffer.alloc(SECTOR);
  Buffer.from('d0cf11e0a1b11ae1', 'hex').copy(header);
  header.writeUInt16LE(0x3e, 24);
  header.writeUInt16LE(3, 26);
  header.writeUInt16LE(0xfffe, 28);
  header.writeUInt16LE(9, 30);
  header.writeUInt16LE(6, 32);
  header.writeInt32LE(1, 44);
  header.writeInt32LE(1, 48);
  header.writeInt32LE(LEAST_STREAM, 56);
  header.writeInt32LE(END, 60);
  header.writeInt32LE(END, 68);
  header.fill(0xff, 76);
  header.writeInt32LE(0, 76);
  const directory = Buffer.concat([
    entry('Root Entry', 5, { child: 1, sector: END }),
    entry(first[0], 2, { right: 2, sector: starts[0], size: streams[0].length }),
    entry(second[0], 2, { sector: starts[1], size: streams[1].length }),
    Buffer.alloc(128),
  ]);
  return Buffer.concat([header, table, directory, ...streams]);
}

const TEXT_AT = 1_024;

/** Paragraphs end with `\r`, cells of tables with `\x07`. */
export function doc(text: string, options: { readonly encrypted?: boolean } = {}): Uint8Array {
  const word = Buffer.alloc(TEXT_AT + 2 * text.length);
  word.writeUInt16LE(0xa5ec, 0);
  word.writeUInt16LE(0xc1, 2);
  word.writeUInt16LE(0x0200 | (options.encrypted === true ? 0x0100 : 0), 10);
  word.writeUInt32LE(TEXT_AT, 0x18);
  word.writeUInt32LE(text.length, 0x4c);
  // No runs and no paragraphs with properties of their own.
  word.writeUInt32LE(4, 0xfe);
  word.writeUInt32LE(4, 0x106);
  word.write(text, TEXT_AT, 'utf16le');
  const pieces = Buffer.alloc(5 + 16);
  pieces.writeUInt8(2, 0);
  pieces.writeUInt32LE(16, 1);
  pieces.writeUInt32LE(text.length, 9);
  pieces.writeUInt32LE(TEXT_AT, 15);
  return compoundFile(['WordDocument', word], ['1Table', pieces]);
}

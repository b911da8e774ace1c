/**
 * What must be known of OLE compound files before a parser sees them: which program's they are, and whether encrypted.
 * Names in their directory are UTF-16; they are looked for in the sectors where directories begin.
 *
 * @module knowledge/parse/ole
 */

const MAGIC = Buffer.from('d0cf11e0a1b11ae1', 'hex');
const ENTRY = 128;
/** Sectors of the directory that are followed. */
const SECTORS = 1_000;

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export function isOle(bytes: Uint8Array): boolean {
  return bytes.length >= 512 && MAGIC.equals(bytes.subarray(0, 8));
}

interface Entry {
  readonly name: string;
  readonly sector: number;
}

/** Entries of the directory, as far as its sectors lie one behind the other or the table's first part leads. */
function entriesOf(bytes: Uint8Array): Entry[] {
  const file = bufferOf(bytes);
  const size = 2 ** Math.min(file.readUInt16LE(30), 12);
  if (size < 512) return [];
  const table = (sector: number): number => {
    const perSector = size / 4;
    const at = Math.floor(sector / perSector);
    if (at >= 109) return -1;
    const from = (file.readUInt32LE(76 + 4 * at) + 1) * size + 4 * (sector % perSector);
    return from + 4 <= file.length ? file.readInt32LE(from) : -1;
  };
  const entries: Entry[] = [];
  let sector = file.readInt32LE(48);
  for (let count = 0; sector >= 0 && count < SECTORS; count += 1) {
    const from = (sector + 1) * size;
    for (let at = from; at + ENTRY <= Math.min(from + size, file.length); at += ENTRY) {
      const length = Math.min(file.readUInt16LE(at + 64), 64);
      if (length < 2) continue;
      entries.push({
        name: file.toString('utf16le', at, at + length - 2),
        sector: file.readInt32LE(at + 116),
      });
    }
    sector = table(sector);
  }
  return entries;
}

export type OleKind = 'doc' | 'encrypted' | 'xls' | 'ppt' | 'msg' | 'other';

export function oleKind(bytes: Uint8Array): OleKind {
  const names = new Set(entriesOf(bytes).map(({ name }) => name));
  if (names.has('EncryptedPackage')) return 'encrypted';
  if (names.has('WordDocument')) return 'doc';
  if (names.has('Workbook') || names.has('Book')) return 'xls';
  if (names.has('PowerPoint Document')) return 'ppt';
  return names.has('__properties_version1.0') ? 'msg' : 'other';
}

/** Word sets a flag in the first sector of its stream. */
export function isEncryptedWord(bytes: Uint8Array): boolean {
  if (!isOle(bytes)) return false;
  const file = bufferOf(bytes);
  const stream = entriesOf(bytes).find(({ name }) => name === 'WordDocument');
  const size = 2 ** Math.min(file.readUInt16LE(30), 12);
  const at = stream === undefined ? -1 : (stream.sector + 1) * size;
  if (at < 0 || at + 12 > file.length) return false;
  // MS-DOC, FibBase: the identifier, and fEncrypted in the flags.
  return file.readUInt16LE(at) === 0xa5ec && (file.readUInt16LE(at + 10) & 0x0100) !== 0;
}

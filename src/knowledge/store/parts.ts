/**
 * A knowledge base as parts that can be kept elsewhere, each by itself, and made into the same file again.
 *
 * A part is rows of tables: those of one document (and of its chunks, vectors, mentions), or of a stretch of a table that has nothing to
 * do with documents. Tables are taken as they are found: what belongs to a document is told by foreign keys, so that tables of later
 * versions come along. The index of words is not kept, it is made anew; neither are kept answers, and what was removed when.
 *
 * Form of a part, version 1: deterministic CBOR `[1, schema version, [table, [column, ...], [row, ...]], ...]`, tables and rows in
 * order. Two files with the same parts come from `writeParts` byte for byte equal (of one version of SQLite).
 *
 * @module knowledge/store/parts
 */
import { rmSync } from 'node:fs';
import {
  type CborValue,
  type Database,
  decodeCbor,
  encodeCbor,
  KithError,
  openDatabase,
  type SqlValue,
} from '../../base/index.ts';
import { fillGrams } from './grams.ts';
import { MIGRATIONS } from './schema.ts';

/** Bytes that a part has at most, and about how many rows' worth are put together. */
export const PART_MAX_BYTES = 3 << 20;
const PART_BYTES = 1 << 20;
/** Rows of a table without documents that make a part, by their key. */
const STRETCH = 4096;
const VERSION = 1;
const CBOR = { maxBytes: PART_MAX_BYTES, maxItems: 1 << 21, maxDepth: 5 };
/** Made anew, or of no use elsewhere. */
const LEFT_OUT = new Set(['kept', 'removed', 'sqlite_sequence']);

interface Table {
  readonly name: string;
  readonly columns: readonly string[];
  readonly key: readonly string[];
  /** SQL that holds for rows of document `?`; null: it has nothing to do with documents. */
  readonly ofDocument: string | null;
  /** Its key is one whole number. */
  readonly numbered: boolean;
}

export interface KnowledgeParts extends Disposable {
  /** All names, in order. */
  names(): Iterable<string>;
  /** Null when there is no such part any more. */
  read(name: string): Uint8Array | null;
}

export interface PartsOptions {
  /** About how many bytes of a document make a part: who reads single passages reads so many. @default 1 MiB */
  readonly documentPartBytes?: number;
}

/** @param path of a knowledge base that nobody writes meanwhile: a backup */
export function openParts(
  path: string,
  { documentPartBytes = PART_BYTES }: PartsOptions = {},
): KnowledgeParts {
  const database = openDatabase(path, { migrations: MIGRATIONS, table: 'document', readOnly: true });
  const tables = tablesOf(database);
  const general = tables.filter(({ ofDocument }) => ofDocument === null);
  const documents = database.prepare<{ id: number }>('SELECT id FROM document ORDER BY id');

  let last: { readonly id: number; readonly parts: Uint8Array[] } | null = null;

  /** The rows of a document, in as many parts as their size asks for. Those of the last one are kept: they are asked for one by one. */
  function ofDocument(id: number): Uint8Array[] {
    if (last?.id === id) return last.parts;
    const rows = tables
      .filter((table) => table.ofDocument !== null)
      .map((table) => [table, select(database, table, table.ofDocument!, [id])] as const);
    last = { id, parts: packed(database.version, rows, documentPartBytes) };
    return last.parts;
  }

  function ofTable(table: Table, stretch: number): Uint8Array[] {
    const rows = table.numbered
      ? select(database, table, `t."${table.key[0]!}" >= ? AND t."${table.key[0]!}" < ?`, [
          stretch * STRETCH,
          (stretch + 1) * STRETCH,
        ])
      : select(database, table, '1', []).slice(stretch * STRETCH, (stretch + 1) * STRETCH);
    return packed(database.version, [[table, rows]]);
  }

  function stretchesOf(table: Table): number {
    const what = table.numbered ? `coalesce(max("${table.key[0]!}") + 1, 0)` : 'count(*)';
    const { n } = database.prepare<{ n: number }>(`SELECT ${what} AS n FROM "${table.name}"`).get()!;
    return Math.ceil(n / STRETCH);
  }

  const read = (name: string): Uint8Array | null => {
    const [kind = '', which = '', part = ''] = name.split('/');
    const table = general.find((one) => one.name === which);
    if (kind === 'document') return ofDocument(Number(which))[Number(part)] ?? null;
    if (kind === 'table' && table !== undefined) {
      const [stretch = '', piece = '0'] = part.split('.');
      return ofTable(table, Number(stretch))[Number(piece)] ?? null;
    }
    return null;
  };

  return {
    *names() {
      for (const { id } of documents.all())
        for (const part of ofDocument(id).keys()) yield `document/${id}/${part}`;
      for (const table of general)
        for (let stretch = 0; stretch < stretchesOf(table); stretch++)
          for (const piece of ofTable(table, stretch).keys()) yield `table/${table.name}/${stretch}.${piece}`;
    },
    read,
    [Symbol.dispose]: () => database.close(),
  };
}

/**
 * Makes the file of a knowledge base of all its parts, in whatever order they come.
 *
 * @param path where no file is @throws KithError `parts_invalid`, `database_newer`
 */
export async function writeParts(
  path: string,
  parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const database = openDatabase(path, { migrations: MIGRATIONS });
  let whole = false;
  try {
    database.exec('PRAGMA foreign_keys = OFF');
    const tables = new Map(tablesOf(database).map((table) => [table.name, table]));
    for await (const part of parts)
      database.transaction(() => {
        for (const [name, columns, rows] of decoded(part))
          insert(database, tables.get(name), name, columns, rows);
      });
    database.exec(`
      PRAGMA foreign_keys = ON;
      INSERT INTO words (words) VALUES ('rebuild');
      DELETE FROM sqlite_sequence;
    `);
    fillGrams(database);
    for (const { name, key, numbered } of [...tables.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)))
      if (numbered && isCounted(database, name))
        database.exec(
          `INSERT INTO sqlite_sequence SELECT '${name}', max("${key[0]!}") FROM "${name}" HAVING count(*) > 0`,
        );
    // In the order of their trees, without what is empty: whatever order the parts came in.
    database.exec('VACUUM; PRAGMA wal_checkpoint(TRUNCATE)');
    whole = true;
  } finally {
    database.close();
    if (!whole) for (const end of ['', '-wal', '-shm']) rmSync(`${path}${end}`, { force: true });
  }
}

function tablesOf(database: Database): Table[] {
  const names = database
    .prepare<{ name: string }>(
      "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )
    .all()
    .map(({ name }) => name)
    .filter((name) => !LEFT_OUT.has(name));
  const parents = new Map(
    names.map((name) => [
      name,
      database
        .prepare<{ table: string; from: string; to: string | null }, [string]>(
          'SELECT "table", "from", "to" FROM pragma_foreign_key_list(?)',
        )
        .all(name),
    ]),
  );
  const keyOf = new Map<string, string[]>();
  const belongs = (name: string, depth = 0): string | null => {
    if (name === 'document') return 't.id = ?';
    if (depth > 8) return null;
    for (const { table, from } of parents.get(name) ?? []) {
      const above = belongs(table, depth + 1);
      if (above === null) continue;
      if (table === 'document') return `t."${from}" = ?`;
      const inner = above.replaceAll('t.', `p${depth}.`);
      return `t."${from}" IN (SELECT p${depth}."${keyOf.get(table)![0]!}" FROM "${table}" AS p${depth} WHERE ${inner})`;
    }
    return null;
  };
  const columnsOf = new Map(
    names.map((name) => [
      name,
      database
        .prepare<{ name: string; type: string; pk: number }, [string]>(
          'SELECT name, type, pk FROM pragma_table_info(?) ORDER BY cid',
        )
        .all(name),
    ]),
  );
  for (const [name, columns] of columnsOf)
    keyOf.set(
      name,
      columns
        .filter(({ pk }) => pk > 0)
        .sort((a, b) => a.pk - b.pk)
        .map((column) => column.name),
    );
  return names.map((name) => {
    const columns = columnsOf.get(name)!;
    const key = keyOf.get(name)!;
    const numbered = key.length === 1 && columns.find((column) => column.name === key[0])!.type === 'INTEGER';
    return { name, columns: columns.map((column) => column.name), key, ofDocument: belongs(name), numbered };
  });
}

/** Whether its numbers are never used again (AUTOINCREMENT). */
const isCounted = (database: Database, table: string): boolean =>
  database
    .prepare<{ sql: string }, [string]>("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?")
    .get(table)!
    .sql.includes('AUTOINCREMENT');

function select(database: Database, table: Table, where: string, params: readonly number[]): SqlValue[][] {
  const columns = table.columns.map((column) => `t."${column}"`).join(', ');
  const order = table.key.map((column) => `t."${column}"`).join(', ');
  return database
    .prepare<Record<string, SqlValue>, readonly number[]>(
      `SELECT ${columns} FROM "${table.name}" AS t WHERE ${where} ORDER BY ${order}`,
    )
    .all(...params)
    .map((row) => table.columns.map((column) => row[column]!));
}

/** Rows to parts of about so many bytes, in order. */
function packed(
  version: number,
  all: readonly (readonly [Table, SqlValue[][]])[],
  partBytes = PART_BYTES,
): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let tables: CborValue[] = [];
  let bytes = 0;
  const close = () => {
    if (tables.length > 0) parts.push(encodeCbor([VERSION, version, ...tables], CBOR));
    tables = [];
    bytes = 0;
  };
  for (const [{ name, columns }, rows] of all) {
    let taken: CborValue[] = [];
    const put = () => {
      if (taken.length > 0) tables.push([name, [...columns], taken]);
      taken = [];
    };
    for (const row of rows) {
      const size = row.reduce<number>((sum, value) => sum + sizeOf(value), 16);
      if (bytes > 0 && bytes + size > partBytes) {
        put();
        close();
      }
      taken.push(row as CborValue[]);
      bytes += size;
    }
    put();
  }
  close();
  return parts;
}

function sizeOf(value: SqlValue): number {
  if (typeof value === 'string') return Buffer.byteLength(value) + 5;
  return ArrayBuffer.isView(value) ? value.byteLength + 5 : 9;
}

/** Tables of a part, with their rows. @throws KithError `parts_invalid`, `database_newer`; InputError `cbor_invalid` */
export function decoded(part: Uint8Array): [name: string, columns: string[], rows: SqlValue[][]][] {
  const value = decodeCbor(part, CBOR);
  if (!Array.isArray(value) || value[0] !== VERSION || typeof value[1] !== 'number') throw invalid();
  if (value[1] > MIGRATIONS.length)
    throw new KithError(
      'database_newer',
      `The knowledge base has schema version ${value[1]}, but this version of Kith knows ${MIGRATIONS.length} at most. Update Kith.`,
      { details: { found: value[1], newest: MIGRATIONS.length } },
    );
  return value.slice(2).map((table) => {
    if (!Array.isArray(table) || table.length !== 3 || !table.slice(1).every(Array.isArray)) throw invalid();
    return table as unknown as [string, string[], SqlValue[][]];
  });
}

function insert(
  database: Database,
  table: Table | undefined,
  name: string,
  columns: readonly string[],
  rows: readonly SqlValue[][],
): void {
  if (table === undefined || columns.some((column) => !table.columns.includes(column))) throw invalid(name);
  const statement = database.prepare<never, SqlValue[]>(
    `INSERT INTO "${name}" (${columns.map((column) => `"${column}"`).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
  );
  for (const row of rows) {
    if (!Array.isArray(row) || row.length !== columns.length) throw invalid(name);
    statement.run(...row);
  }
}

function invalid(table?: string): KithError {
  return new KithError(
    'parts_invalid',
    `What is to become a knowledge base is none of its parts${table === undefined ? '' : ` (table ${table.slice(0, 40)})`}. Nothing was made of it.`,
    { status: 422 },
  );
}

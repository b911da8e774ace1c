/**
 * Whether a file is a sound knowledge base, also one that somebody else made.
 *
 * @module knowledge/store/check
 */
import { type Database, openDatabase } from '../../base/index.ts';
import { MIGRATIONS, STORE_LIMITS } from './schema.ts';

const JSON_COLUMNS = [
  ['meta', 'settings', 'object'],
  ['document', 'properties', 'object'],
  ['document', 'tags', 'array'],
  ['document', 'aliases', 'array'],
  ['document', 'links', 'array'],
  ['document', 'notes', 'array'],
  ['chunk', 'place', 'object'],
  ['run', 'state', 'object'],
] as const;
const LONGEST = [
  ['document', 'title', STORE_LIMITS.title],
  ['document', 'path', STORE_LIMITS.path],
  ['chunk', 'title', STORE_LIMITS.chunkCharacters],
  ['chunk', 'text', STORE_LIMITS.chunkCharacters],
] as const;

/** What is wrong with a knowledge base whose file may be from elsewhere; nothing where it is whole and made as this version makes it. */
export function checkFile(database: Database): string[] {
  // First, since looking at rows computes what the tables' own form says.
  const form = checkForm(database);
  if (form.length > 0) return form;
  const problems = database
    .prepare<{ integrity_check: string }>('PRAGMA integrity_check(20)')
    .all()
    .map((row) => row.integrity_check)
    .filter((line) => line !== 'ok');
  try {
    // Rank 1 compares with the chunks themselves.
    database.exec("INSERT INTO words (words, rank) VALUES ('integrity-check', 1)");
  } catch (error) {
    problems.push(`the index of words does not fit the chunks: ${(error as Error).message}`);
  }
  if (problems.length === 0) problems.push(...checkNumbers(database), ...checkTexts(database));
  if (problems.length > 0) return problems;
  const count = (what: string, sql: string): void => {
    const { n } = database.prepare<{ n: number }>(`SELECT count(*) AS n FROM ${sql}`).get()!;
    if (n > 0) problems.push(`${what}: ${n}`);
  };
  if (database.prepare('PRAGMA foreign_key_check').get() !== undefined)
    problems.push('there are rows of documents or chunks that are gone');
  count(
    'documents that have other chunks than they say',
    `document AS d WHERE d.chunks <> (SELECT count(*) FROM chunk WHERE document = d.id)
       OR d.chunks <> (SELECT coalesce(max(position) + 1, 0) FROM chunk WHERE document = d.id)`,
  );
  count(
    'vectors of a wrong length, or without their exact form',
    `vector AS v LEFT JOIN exact_vector AS e USING (chunk), meta
     WHERE length(v.i8) <> dimension OR e.f32 IS NULL OR length(e.f32) <> 4 * dimension`,
  );
  return problems;
}

/** Whether it is made as this version makes it. */
function checkForm(database: Database): string[] {
  const problems: string[] = [];
  using empty = openDatabase(':memory:', { migrations: MIGRATIONS });
  const ours = new Set(madeOf(empty));
  const theirs = madeOf(database);
  const foreign = theirs.find((each) => !ours.has(each));
  if (foreign !== undefined) problems.push(`it has what no knowledge base has, ${foreign.slice(0, 200)}`);
  if (ours.size !== theirs.length) problems.push('something that every knowledge base has is missing');
  const { encoding } = database.prepare<{ encoding: string }>('PRAGMA encoding').get()!;
  if (encoding !== 'UTF-8') problems.push(`its texts are kept as ${encoding}`);
  const { application_id: by } = database.prepare<{ application_id: number }>('PRAGMA application_id').get()!;
  if (by !== 0) problems.push(`another program says that it is its own (application_id ${by})`);
  return problems;
}

function checkTexts(database: Database): string[] {
  const problems: string[] = [];
  for (const [table, column, type] of JSON_COLUMNS) {
    const wrong = database
      .prepare(
        `SELECT 1 FROM ${table} WHERE CASE WHEN json_valid(${column}) THEN json_type(${column}) <> '${type}' ELSE 1 END`,
      )
      .get();
    if (wrong !== undefined) problems.push(`${table}.${column} is no JSON ${type} everywhere`);
  }
  for (const [table, column, most] of LONGEST)
    if (database.prepare(`SELECT 1 FROM ${table} WHERE length(${column}) > ${most}`).get() !== undefined)
      problems.push(`${table}.${column} has more than ${most} characters somewhere`);
  return problems;
}

/** Tables, indexes, triggers and views, as they are made. What SQLite makes by itself is left out. */
const madeOf = (database: Database): string[] =>
  database
    .prepare<{ type: string; name: string; sql: string | null }>(
      "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type, name",
    )
    .all()
    .map(({ type, name, sql }) => `the ${type} ${name}: ${(sql ?? '').replaceAll(/\s+/g, ' ')}`);

/** Rows that a table can still get, at least, and numbers that JavaScript holds. */
const MOST_ID = 2 ** 48;
const MOST_NUMBER = Number.MAX_SAFE_INTEGER;

/** Numbers of rows that leave none for the next one, and numbers that nobody can read. */
function checkNumbers(database: Database): string[] {
  const problems: string[] = [];
  const tables = database
    .prepare<{ name: string; wr: number }>(
      "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )
    .all();
  for (const { name, wr } of tables) {
    const wrong = database
      .prepare<{ name: string; type: string }>(`SELECT name, type FROM pragma_table_info('${name}')`)
      .all()
      .filter(({ type }) => type === 'INTEGER')
      .map((column) => `"${column.name}" NOT BETWEEN -${MOST_NUMBER} AND ${MOST_NUMBER}`);
    if (wr === 0) wrong.push(`rowid NOT BETWEEN 1 AND ${MOST_ID}`);
    if (wrong.length === 0) continue;
    if (database.prepare(`SELECT 1 FROM "${name}" WHERE ${wrong.join(' OR ')}`).get() !== undefined)
      problems.push(`${name} has rows with numbers that no knowledge base gives`);
  }
  const next = database
    .prepare(
      `SELECT 1 FROM sqlite_sequence WHERE typeof(seq) <> 'integer' OR seq NOT BETWEEN 0 AND ${MOST_ID}
         OR name NOT IN (SELECT name FROM sqlite_schema WHERE type = 'table')`,
    )
    .get();
  if (next !== undefined) problems.push('its tables can take no further rows (sqlite_sequence)');
  const odd = database
    .prepare(
      `SELECT 1 FROM meta WHERE version < 0 OR forgotten < 0 OR dimension NOT BETWEEN 1 AND 65536
         OR (dimension IS NULL) <> (embedder IS NULL) OR (embedder IS NULL) <> (embedder_hash IS NULL)
         OR length(id) <> 32 OR id GLOB '*[^0-9a-f]*' OR length(name) > 500`,
    )
    .get();
  if (odd !== undefined || database.prepare('SELECT 1 FROM meta').get() === undefined)
    problems.push('what it says of itself (meta) cannot be so');
  return problems;
}

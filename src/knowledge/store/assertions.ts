/**
 * Assertions about names, the runs that they come from, and what a model has read: only ever added to and undone.
 *
 * @module knowledge/store/assertions
 */
import { type Database, InputError } from '../../base/index.ts';
import {
  type Asserter,
  type Assertion,
  type AssertionPage,
  type AssertionStore,
  type NewAssertion,
  type Reading,
  SINGLE,
  type StoredRun,
} from './assertion-types.ts';
import { over } from './rows.ts';
import { STORE_LIMITS } from './schema.ts';
import { RELATIONS, type Relation } from './vocabulary.ts';

interface Row {
  id: number;
  subject: string;
  property: string;
  relation: string | null;
  object: string | null;
  value: string | null;
  denies: number;
  chunk: string | null;
  sentence: string | null;
  supported: number;
  by: Asserter;
  model: string | null;
  reason: string;
  confidence: number;
  run: number | null;
  made: number;
  undone: number | null;
}

type NewRow = Omit<Row, 'id' | 'supported' | 'undone'>;

const COLUMNS =
  'subject, property, relation, object, value, denies, chunk, sentence, by, model, reason, confidence, run, made'.split(
    ', ',
  );
/** Two with these equal say the same for the same reason. */
const SAME = ['property', 'relation', 'object', 'value', 'denies', 'chunk', 'sentence', 'by', 'model'];
const KNOWN: ReadonlySet<string> = new Set(RELATIONS);
const ASSERTERS: ReadonlySet<string> = new Set<Asserter>(['rule', 'model', 'owner']);

const pageOf = (limit = 100): number => Math.max(0, Math.min(Math.floor(limit), STORE_LIMITS.page));

/**
 * @param change one transaction that counts as a change of the knowledge base
 * @param note one transaction that does not
 */
export function createAssertions(
  database: Database,
  change: <T>(work: () => T) => T,
  note: <T>(work: () => T) => T,
): AssertionStore {
  const SELECT = `SELECT a.*, a.by = 'owner' OR EXISTS (SELECT 1 FROM chunk AS c WHERE c.id = a.chunk) AS supported FROM assertion AS a`;
  const add = database.prepare<{ id: number }, Record<string, string | number | null>>(
    `INSERT INTO assertion (${COLUMNS.join(', ')}) VALUES (${COLUMNS.map((name) => `:${name}`).join(', ')}) RETURNING id`,
  );
  // One that the same asserter has gone back on since is to be said again.
  const equal = database.prepare<{ id: number }, Record<string, string | number | null>>(
    `SELECT id FROM assertion AS a WHERE subject = :subject AND undone IS NULL AND ${SAME.map((name) => `${name} IS :${name}`).join(' AND ')}
     AND NOT EXISTS (SELECT 1 FROM assertion AS b WHERE b.subject = a.subject AND b.id > a.id AND b.undone IS NULL
       AND b.property = a.property AND b.by = a.by AND (
         (a.property IN (${SINGLE.map((name) => `'${name}'`).join(', ')}) AND b.value <> a.value)
         OR (b.relation IS a.relation AND b.object IS a.object AND b.value IS a.value AND b.denies <> a.denies))) LIMIT 1`,
  );
  // Rows are never deleted: the largest number is how many there are.
  const count = database.prepare<{ n: number }>('SELECT coalesce(max(id), 0) AS n FROM assertion');
  const undo = database.prepare<never, [number, number]>(
    'UPDATE assertion SET undone = ? WHERE id = ? AND undone IS NULL',
  );
  const bySubject = database.prepare<Row, [string]>(
    `${SELECT} WHERE a.subject IN (SELECT value FROM json_each(?)) AND a.undone IS NULL ORDER BY a.id`,
  );
  const byObject = database.prepare<Row, [string]>(
    `${SELECT} WHERE a.object IN (SELECT value FROM json_each(?)) AND a.undone IS NULL ORDER BY a.id`,
  );
  const byRun = database.prepare<Row, [number, number, number]>(
    `${SELECT} WHERE a.run = ? AND a.id > ? ORDER BY a.id LIMIT ?`,
  );
  const byId = database.prepare<Row, [number]>(`${SELECT} WHERE a.id = ?`);
  const all = database.prepare<Row, [number, string | null, number]>(
    `${SELECT} WHERE a.id > ?1 AND a.undone IS NULL AND (?2 IS NULL OR a.property = ?2) ORDER BY a.id LIMIT ?3`,
  );
  const names = database.prepare<{ subject: string }, [string, number]>(
    'SELECT DISTINCT subject FROM assertion WHERE subject > ? AND undone IS NULL ORDER BY subject LIMIT ?',
  );

  const addRun = database.prepare<{ id: number }, [string, string, number]>(
    'INSERT INTO run (kind, state, began) VALUES (?, ?, ?) RETURNING id',
  );
  const runCount = database.prepare<{ n: number }>('SELECT coalesce(max(id), 0) AS n FROM run');
  const saveRun = database.prepare<never, [string, number | null, number]>(
    'UPDATE run SET state = ?, ended = coalesce(?, ended) WHERE id = ?',
  );
  type RunRow = Omit<StoredRun, 'state'> & { state: string };
  const runBy = database.prepare<RunRow, [number]>('SELECT * FROM run WHERE id = ?');
  const lastRuns = database.prepare<RunRow, [number]>('SELECT * FROM run ORDER BY id DESC LIMIT ?');
  const runUndone = database.prepare<never, [number, number]>(
    'UPDATE run SET undone = ?1, ended = coalesce(ended, ?1) WHERE id = ?2 AND undone IS NULL',
  );
  const undoOfRun = database.prepare<never, [number, number]>(
    'UPDATE assertion SET undone = ? WHERE run = ? AND undone IS NULL',
  );
  const undoMergesOfRun = database.prepare<never, [number, number]>(
    'UPDATE merge SET undone = ? WHERE run = ? AND undone IS NULL',
  );
  const dropReadings = database.prepare<never, [number]>('DELETE FROM reading WHERE run = ?');
  const addReading = database.prepare<never, [string, string, number, number, number, number]>(
    'INSERT OR REPLACE INTO reading (chunk, by, run, kept, refused, at) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const read = database.prepare<{ chunk: string }, [string, string]>(
    'SELECT chunk FROM reading WHERE chunk IN (SELECT value FROM json_each(?)) AND by = ?',
  );
  const readings = database.prepare<Reading, [number]>(
    'SELECT chunk, by, run, kept, refused, at FROM reading WHERE run = ? ORDER BY at, chunk',
  );
  const addAsked = database.prepare<never, [string, number]>(
    'INSERT INTO asked (name, times) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET times = times + excluded.times',
  );
  const askedOf = database.prepare<{ name: string; times: number }, [string]>(
    'SELECT name, times FROM asked WHERE name IN (SELECT value FROM json_each(?))',
  );
  const askedCount = database.prepare<{ n: number }>('SELECT count(*) AS n FROM asked');

  const runOf = (row: RunRow): StoredRun => ({
    ...row,
    state: JSON.parse(row.state) as Record<string, unknown>,
  });
  const jsonOf = (state: Readonly<Record<string, unknown>>): string => {
    const text = JSON.stringify(state);
    if (text.length > STORE_LIMITS.runState)
      throw over('runState', STORE_LIMITS.runState, `The state of a run has ${text.length} characters`);
    return text;
  };
  const addAll = (rows: readonly NewRow[]): number[] => {
    if (count.get()!.n + rows.length > STORE_LIMITS.assertions)
      throw over(
        'assertions',
        STORE_LIMITS.assertions,
        `${database.path} would have more than ${STORE_LIMITS.assertions} assertions`,
      );
    return rows.map((row) => {
      const said = Object.fromEntries(['subject', ...SAME].map((name) => [name, row[name as keyof NewRow]]));
      return equal.get(said)?.id ?? add.get({ ...row })!.id;
    });
  };

  return {
    assert(assertions) {
      const rows = assertions.map(rowOf);
      return rows.length === 0 ? [] : change(() => addAll(rows));
    },
    undoAssertions: (ids, at) =>
      ids.length === 0
        ? 0
        : change(() => ids.reduce((sum, id) => sum + undo.run(Math.floor(at), id).changes, 0)),
    assertionsOf: (subjects) => bySubject.all(JSON.stringify(subjects)).map(assertionOf),
    assertionsAbout: (objects) => byObject.all(JSON.stringify(objects)).map(assertionOf),
    assertionsOfRun: (run, { after = 0, limit }: AssertionPage = {}) =>
      byRun.all(run, after, pageOf(limit)).map(assertionOf),
    allAssertions: ({ after = 0, limit, property } = {}) =>
      all.all(after, property ?? null, pageOf(limit)).map(assertionOf),
    assertion(id) {
      const row = byId.get(id);
      return row === undefined ? null : assertionOf(row);
    },
    newestAssertion: () => count.get()!.n,
    assertedNames: (after = '', limit) => names.all(after, pageOf(limit)).map(({ subject }) => subject),

    beginRun(kind, state, at) {
      const text = jsonOf(state);
      return note(() => {
        if (runCount.get()!.n >= STORE_LIMITS.runs)
          throw over('runs', STORE_LIMITS.runs, `${database.path} has ${STORE_LIMITS.runs} runs`);
        return addRun.get(kind.slice(0, 64), text, Math.floor(at))!.id;
      });
    },
    noteRun(id, state, ended) {
      const text = jsonOf(state);
      note(() => saveRun.run(text, ended === undefined ? null : Math.floor(ended), id));
    },
    run(id) {
      const row = runBy.get(id);
      return row === undefined ? null : runOf(row);
    },
    runs: (limit) => lastRuns.all(pageOf(limit)).map(runOf),
    undoRun: (id, at) =>
      change(() => {
        const moment = Math.floor(at);
        if (runUndone.run(moment, id).changes === 0) return false;
        undoOfRun.run(moment, id);
        undoMergesOfRun.run(moment, id);
        dropReadings.run(id);
        return true;
      }),

    readBy: (chunks, by) => new Set(read.all(JSON.stringify(chunks), by).map(({ chunk }) => chunk)),
    noteReading({ chunk, by, run, kept, refused, at }, assertions) {
      const rows = assertions.map(rowOf);
      const work = (): number[] => {
        addReading.run(chunk, by.slice(0, 300), run, kept, refused, Math.floor(at));
        return rows.length === 0 ? [] : addAll(rows);
      };
      return rows.length === 0 ? note(work) : change(work);
    },
    readingsOf: (run) => readings.all(run).map((row) => ({ ...row })),

    noteAsked(asked) {
      if (asked.size === 0) return;
      note(() => {
        let room = STORE_LIMITS.asked - askedCount.get()!.n;
        for (const [name, times] of asked)
          if (room-- > 0 && name.length <= STORE_LIMITS.mergeName && name.isWellFormed())
            addAsked.run(name, Math.floor(times));
      });
    },
    asked: (wanted) =>
      new Map(askedOf.all(JSON.stringify(wanted)).map(({ name, times }) => [name, times] as const)),
  };
}

function assertionOf(row: Row): Assertion {
  const { denies, chunk, sentence, supported, relation, ...rest } = row;
  return {
    ...rest,
    relation: relation as Relation | null,
    denies: denies === 1,
    evidence: chunk === null ? null : { chunk, sentence: sentence ?? '' },
    supported: supported === 1,
  };
}

function rowOf(given: NewAssertion): NewRow {
  const { subject, property, relation, object, value, evidence, by, model, run, made } = given;
  const { denies = false, reason = '', confidence = 1 } = given;
  const text = (name: string, words: string | undefined, most: number): void => {
    if (words !== undefined && (words.trim() === '' || words.length > most || !words.isWellFormed()))
      throw invalid(`its ${name} must have 1 to ${most} characters`, given);
  };
  text('subject', subject, STORE_LIMITS.mergeName);
  text('object', object, STORE_LIMITS.mergeName);
  text('value', value, STORE_LIMITS.value);
  text('model', model, 300);
  text('sentence', evidence?.sentence, STORE_LIMITS.sentence);
  if (!/^[A-Za-z][A-Za-z0-9._-]{0,63}$/.test(property))
    throw invalid('its property must have 1 to 64 of a-z, A-Z, 0-9, ".", "_" and "-"', given);
  if (property === 'relation') {
    if (relation === undefined || !KNOWN.has(relation) || object === undefined)
      throw invalid('a relation needs an object, and a relation that Kith knows', given);
  } else if (relation !== undefined || object !== undefined || value === undefined)
    throw invalid('only relations have an object; all others need a value', given);
  if (property === 'type' && !/^[A-Z][A-Za-z0-9]{0,63}$/.test(value ?? ''))
    throw invalid('a type is a word like Person', given);
  if (property === 'weight' && !/^(?:0|1|0?\.\d{1,6})$/.test(value ?? ''))
    throw invalid('a weight is a number from 0 to 1', given);
  if (!ASSERTERS.has(by)) throw invalid('it must be by rule, model or owner', given);
  if (by !== 'owner' && evidence === undefined)
    throw invalid('what a rule or a model says needs the sentence that says so', given);
  if (evidence !== undefined && !/^[0-9a-f]{32}$/.test(evidence.chunk))
    throw invalid('its evidence must name a chunk', given);
  if (!(confidence >= 0 && confidence <= 1)) throw invalid('its confidence must be from 0 to 1', given);
  return {
    ...{ subject, property, by, confidence, made: Math.floor(made) },
    ...{ relation: relation ?? null, object: object ?? null, value: value ?? null },
    ...{ chunk: evidence?.chunk ?? null, sentence: evidence?.sentence ?? null },
    ...{ model: model ?? null, run: run ?? null, denies: denies ? 1 : 0 },
    reason: reason.slice(0, STORE_LIMITS.mergeName).toWellFormed(),
  };
}

function invalid(reason: string, { subject, property }: NewAssertion): InputError {
  return new InputError(
    'assertion_invalid',
    `What is said of '${subject.slice(0, 80).toWellFormed()}' (${property.slice(0, 64).toWellFormed()}) cannot be kept: ${reason}.`,
  );
}

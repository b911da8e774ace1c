/**
 * Judged sets in the form of BEIR: `corpus.jsonl` ({_id, title, text}), `queries.jsonl` ({_id, text}) and `qrels.tsv`
 * (query-id, corpus-id, score; `qrels/test.tsv` is read, too).
 *
 * @module knowledge/evaluate/judged-set
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Transform } from 'node:stream';
import { InputError, LimitError } from '../../base/index.ts';
import type { Judgements } from './measures.ts';

export interface JudgedDocument {
  readonly id: string;
  /** Empty when it has none. */
  readonly title: string;
  readonly text: string;
}

export interface JudgedQuestion {
  readonly id: string;
  readonly text: string;
}

export interface JudgedSet {
  readonly documents: readonly JudgedDocument[];
  /** Those with at least one relevant document, in the order of the file: means are over these. */
  readonly questions: readonly JudgedQuestion[];
  readonly judgements: ReadonlyMap<string, Judgements>;
}

/** What a set may have. */
export const JUDGED_SET_LIMITS = {
  /** Bytes of one of the files. */
  bytes: 4 * 2 ** 30,
  /** Lines of one of the files. */
  lines: 10_000_000,
  /** Bytes of a line. */
  lineBytes: 16 << 20,
  /** Characters of an id. */
  id: 1000,
} as const;

/** @throws InputError `judged_set_invalid` naming file and line; LimitError `evaluate.*` */
export async function readJudgedSet(
  folder: string,
  limits: Partial<Record<keyof typeof JUDGED_SET_LIMITS, number>> = {},
): Promise<JudgedSet> {
  const bounds = { ...JUDGED_SET_LIMITS, ...limits };
  const documents: JudgedDocument[] = [];
  const ids = new Set<string>();
  for await (const { value, line, file } of objects(join(folder, 'corpus.jsonl'), bounds)) {
    const id = textOf(value, '_id', file, line);
    if (ids.has(id)) throw invalid(file, line, `the id ${JSON.stringify(id)} was there before`);
    ids.add(id);
    const title = value.title === undefined || value.title === null ? '' : textOf(value, 'title', file, line);
    documents.push({ id, title, text: textOf(value, 'text', file, line) });
  }
  const judgements = await readJudgements(await qrelsOf(folder), bounds);
  const questions: JudgedQuestion[] = [];
  const asked = new Set<string>();
  for await (const { value, line, file } of objects(join(folder, 'queries.jsonl'), bounds)) {
    const id = textOf(value, '_id', file, line);
    if (asked.has(id)) throw invalid(file, line, `the id ${JSON.stringify(id)} was there before`);
    asked.add(id);
    const text = textOf(value, 'text', file, line);
    if ([...(judgements.get(id)?.values() ?? [])].some((gain) => gain > 0)) questions.push({ id, text });
  }
  return { documents, questions, judgements };
}

type Bounds = Record<keyof typeof JUDGED_SET_LIMITS, number>;

async function qrelsOf(folder: string): Promise<string> {
  const flat = join(folder, 'qrels.tsv');
  const isThere = await stat(flat).then(
    () => true,
    () => false,
  );
  return isThere ? flat : join(folder, 'qrels', 'test.tsv');
}

async function readJudgements(path: string, bounds: Bounds): Promise<Map<string, Map<string, number>>> {
  const all = new Map<string, Map<string, number>>();
  for await (const { text, line } of lines(path, bounds)) {
    const cells = text.split('\t');
    if (line === 1 && cells[0] === 'query-id') continue;
    // TREC's own form has a second column that means nothing.
    const [question, document, score] = cells.length === 4 ? [cells[0], cells[2], cells[3]] : cells;
    const gain = Number(score);
    if (
      cells.length < 3 ||
      cells.length > 4 ||
      !question ||
      !document ||
      !/^-?\d{1,6}$/.test(score?.trim() ?? '')
    )
      throw invalid(path, line, 'it must be query-id, corpus-id and a whole number, with tabs between');
    if (question.length > bounds.id || document.length > bounds.id)
      throw invalid(path, line, 'an id is too long');
    const judged = all.get(question) ?? new Map<string, number>();
    judged.set(document, gain);
    all.set(question, judged);
  }
  return all;
}

async function* objects(path: string, bounds: Bounds) {
  for await (const { text, line } of lines(path, bounds)) {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw invalid(path, line, 'it is no JSON');
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw invalid(path, line, 'it is no JSON object');
    const fields = value as Readonly<Record<string, unknown>>;
    const id = fields._id;
    if (typeof id !== 'string' || id.length > bounds.id || id === '')
      throw invalid(path, line, 'it has no _id');
    yield { value: fields, line, file: path };
  }
}

/** Lines that are not empty, numbered from 1. */
async function* lines(path: string, bounds: Bounds) {
  const size = await stat(path).then(
    ({ size: bytes }) => bytes,
    () => null,
  );
  if (size === null)
    throw new InputError(
      'judged_set_invalid',
      `There is no file ${path}: a judged set is corpus.jsonl, queries.jsonl and qrels.tsv in one folder. Questions of your own are a file of JSON.`,
    );
  if (size > bounds.bytes) throw tooMuch('evaluate.bytes', bounds.bytes, `${path} has ${size} bytes`);
  let line = 0;
  for await (const text of createInterface({
    input: createReadStream(path).pipe(shortLines(path, bounds.lineBytes)),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    if (++line > bounds.lines) throw tooMuch('evaluate.lines', bounds.lines, `${path} has more lines`);
    if (text !== '') yield { text, line };
  }
}

/** Fails before a line without an end fills the memory. */
function shortLines(path: string, most: number): Transform {
  let length = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      let from = 0;
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
        if (length + at - from > most) break;
        length = 0;
        from = at + 1;
      }
      length += chunk.length - from;
      if (length > most) done(tooMuch('evaluate.lineBytes', most, `${path} has a longer line`));
      else done(null, chunk);
    },
  });
}

function textOf(value: Readonly<Record<string, unknown>>, name: string, path: string, line: number): string {
  const text = value[name];
  if (typeof text !== 'string') throw invalid(path, line, `${name} is no text`);
  return text;
}

function invalid(path: string, line: number, why: string): InputError {
  return new InputError('judged_set_invalid', `Line ${line} of ${path} cannot be used: ${why}.`);
}

function tooMuch(limit: string, value: number, what: string): LimitError {
  return new LimitError(limit, value, `${what}, and ${value} are allowed (${limit}).`, { status: 413 });
}

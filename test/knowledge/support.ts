/**
 * Knowledge bases for tests: the real embedder in a real engine, and files of generated text.
 *
 * @module test/knowledge/support
 */
import assert from 'node:assert/strict';
import { createSeededRandom, InputError, type Random, silentLogger } from '../../src/base/index.ts';
import type {
  Embedder,
  IngestEvent,
  KnowledgeStore,
  Parsed,
  ParserPool,
  SourceFile,
} from '../../src/knowledge/index.ts';
import { openEngineEmbedder } from '../../src/node/knowledge/embedder.ts';
import { openEngineRooms } from '../../src/node/rooms.ts';
import { configOf, createHome } from '../node-support.ts';

export interface TestEmbedder extends AsyncDisposable {
  readonly embedder: Embedder;
  readonly home: string;
}

/** all-MiniLM-L6-v2 in an engine process of its own, with one thread. @param at home whose model is used; a new one without */
export async function startEmbedder(at?: string): Promise<TestEmbedder> {
  const remove = async () => {};
  const home = at === undefined ? await createHome() : { path: at, remove, [Symbol.asyncDispose]: remove };
  const rooms = openEngineRooms(configOf(home), silentLogger);
  const end = async () => {
    await rooms[Symbol.asyncDispose]();
    await home.remove();
  };
  try {
    const { engine, local, store: models } = rooms;
    const embedder = await openEngineEmbedder({ engine, local, models, model: 'tiny-embed' });
    return { embedder, home: home.path, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** An embedder that makes each vector once: what differs by how texts were put together is no matter then. */
export function remembering(embedder: Embedder): Embedder {
  const made = new Map<string, Float32Array>();
  const { id, hash, dimension, window } = embedder;
  return {
    ...{ id, hash, dimension, window },
    countTokens: (texts, signal) => embedder.countTokens(texts, signal),
    async embed(texts, options) {
      const keyOf = (text: string) => `${options.kind}\0${text}`;
      const missing = [...new Set(texts)].filter((text) => !made.has(keyOf(text)));
      if (missing.length > 0) {
        const rows = await embedder.embed(missing, options);
        for (const [i, text] of missing.entries())
          made.set(keyOf(text), rows.slice(i * dimension, (i + 1) * dimension));
      }
      const all = new Float32Array(texts.length * dimension);
      for (const [i, text] of texts.entries()) all.set(made.get(keyOf(text))!, i * dimension);
      return all;
    },
  };
}

/**
 * Parses plain text in this process: an empty line ends a paragraph, `# ` begins a section, `Title: ` in the first line says
 * one, `[[` and `]]` stand around links, and in files whose name ends with `.dump` `=== ` begins a page of its own. Files with \0
 * are no text.
 */
export const plainPool: Pick<ParserPool, 'parse'> = {
  async *parse(source) {
    const { readFile } = await import('node:fs/promises');
    const bytes = 'bytes' in source ? source.bytes : await readFile(source.path);
    const all = new TextDecoder().decode(bytes);
    const name = source.name ?? ('path' in source ? source.path : '');
    const pages = name.endsWith('.dump') ? all.split(/^=== /mu).slice(1) : [all];
    for (const each of pages) yield parsedText(each, name.endsWith('.dump'));
  },
};

/** @param isPage whether the first line is the name of a page */
function parsedText(given: string, isPage: boolean): Parsed {
  const [first, ...lines] = given.split('\n');
  const text = isPage ? lines.join('\n') : given;
  if (text.includes('\0')) throw new InputError('parse_broken', 'It is no text.');
  const sections = text.split(/^(?=# )/mu).map((part) => {
    const [head, ...rest] = part.startsWith('# ') ? part.split('\n') : ['', part];
    const blocks = rest
      .join('\n')
      .split(/\n{2,}/u)
      .filter((block) => block.trim() !== '');
    return {
      headings: head === '' ? [] : [head!.slice(2)],
      blocks: blocks.map((block) => ({ kind: 'text' as const, text: block, place: {} })),
    };
  });
  return {
    ...{ type: 'text', page: isPage ? first! : null },
    document: {
      ...{
        title: /^Title: (.+)$/mu.exec(text.slice(0, 200))?.[1] ?? null,
        sections,
        links: Array.from(text.matchAll(/\[\[(.+?)\]\]/gu), ([, target]) => ({
          ...{ target: target!, kind: 'wiki', label: null },
        })),
        aliases: [],
        tags: [],
        properties: {},
        pages: null,
        notes: [],
      },
    },
  };
}

const WORDS = (
  'river stone garden letter window mountain harbour engine copper violin market winter planet sailor bridge orchard ' +
  'measure silent ancient golden narrow careful distant broken gentle hollow carries follows remembers crosses builds'
).split(' ');

export function textOf(random: Random, sentences: number): string {
  const word = () => WORDS[random.uint32() % WORDS.length]!;
  const lines: string[] = [];
  for (let i = 0; i < sentences; i++) {
    if (i % 12 === 0) lines.push(`\n\n# The ${word()} ${word()}\n\n`);
    const words = Array.from({ length: 6 + (random.uint32() % 9) }, word).join(' ');
    lines.push(`${words[0]!.toUpperCase()}${words.slice(1)}. `);
  }
  return lines.join('');
}

export function fileOf(path: string, text: string): SourceFile {
  return {
    path,
    source: { bytes: new TextEncoder().encode(text), name: path.split('/').at(-1)! },
    modified: 1000,
  };
}

export function filesOf(count: number, seed: number, sentences = 6): SourceFile[] {
  const random = createSeededRandom(seed);
  return Array.from({ length: count }, (_, i) =>
    fileOf(`notes/${i}.txt`, textOf(random, 1 + (i % sentences))),
  );
}

export async function eventsOf(run: AsyncIterable<IngestEvent>): Promise<IngestEvent[]> {
  const events: IngestEvent[] = [];
  for await (const event of run) events.push(event);
  return events;
}

/** Stages of files by path, the last ones told. */
export function stagesOf(events: readonly IngestEvent[]): Record<string, string> {
  return Object.fromEntries(
    events.flatMap((event) => (event.kind === 'file' ? [[event.path, event.stage] as const] : [])),
  );
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Everything but rows, which depend on the order of putting; vectors apart, which rounding makes differ in their last bits. */
function contentOf(store: KnowledgeStore) {
  const chunks = [...store.allChunks()].map(({ row, document, ...chunk }) => ({ row, chunk }));
  const keyOf = ({ chunk }: (typeof chunks)[number]) =>
    `${chunk.path}\0${String(chunk.position).padStart(9, '0')}`;
  chunks.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const mentions = chunks.map(({ row }) => store.mentions([row]).map(({ row: _row, ...mention }) => mention));
  return {
    chunks: chunks.map(({ chunk }) => chunk),
    mentions,
    vectors: store.f32(chunks.map(({ row }) => row)),
  };
}

function documentsOf(store: KnowledgeStore) {
  const all = [];
  for (let after = ''; ; ) {
    const page = store.documents({ after, limit: 1000 });
    if (page.length === 0) return all;
    all.push(...page.map(({ id, ...document }) => document));
    after = page.at(-1)!.path;
  }
}

/** Same documents, chunks, ids, mentions and vectors. */
export function assertSame(a: KnowledgeStore, b: KnowledgeStore): void {
  assert.deepEqual(documentsOf(a), documentsOf(b));
  const [left, right] = [contentOf(a), contentOf(b)];
  assert.deepEqual(left.chunks, right.chunks);
  assert.deepEqual(left.mentions, right.mentions);
  for (const [at, vector] of left.vectors.entries()) assert.ok(dot(vector!, right.vectors[at]!) > 0.9995);
}

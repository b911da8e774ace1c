/**
 * How long files take to be taken in, by format: real ones, from folders of this machine, each format in a run of its own with its
 * files in turn of their paths. Once with vectors of zeros, which tells what reading, cutting and storing take, and of some
 * passages with the real embedder, which tells what vectors take: that is most of it.
 *
 * @module bench/knowledge/ingest
 */
import { statSync } from 'node:fs';
import { glob, mkdtemp, open, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { systemClock } from '../../src/base/index.ts';
import {
  createParserPool,
  createRetriever,
  type Embedder,
  followGraph,
  type IngestTotals,
  ingest,
  type KnowledgeStore,
  openKnowledgeStore,
  passageOf,
} from '../../src/knowledge/index.ts';
import { table } from '../lib/stats.ts';
import { openMiniLm } from './embedder.ts';

/** By the ends of names; `mediawiki` are XML files that are dumps, `vault` Markdown in folders that Obsidian keeps. */
const FORMATS = 'md txt rst html json yaml toml csv pdf docx doc pptx xlsx epub eml mediawiki vault'.split(
  ' ',
);
const MOST_BYTES = 8_000_000;
const LEAST_BYTES = 300;
/** Passages that the real embedder gets. */
const EMBEDDED = 192;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Counts words as tokens and makes vectors without computing: what is left is reading, cutting and storing. */
const noModel: Embedder = {
  ...{ id: 'none', hash: 'none', dimension: 384, window: 254 },
  async embed(texts) {
    const rows = new Float32Array(texts.length * 384);
    for (let row = 0; row < texts.length; row++) rows[row * 384 + (row % 384)] = 1;
    return rows;
  },
  countTokens: async (texts) => texts.map((text) => Math.ceil((text.match(/\S+/g)?.length ?? 0) * 1.3)),
};

/** @param folders whose files are taken @param most files of all formats together */
export async function ingestSpeed(folders: readonly string[], most: number): Promise<void> {
  const found = await filesOf(folders);
  // As many of each as there are, up to an even share of what is left for those that have more.
  let left = most;
  let kinds = [...found.values()].filter((files) => files.length > 0).length;
  const chosen = [...found].sort(([, a], [, b]) => a.length - b.length);
  const rows: (string | number)[][] = [];
  const folder = await mkdtemp(join(tmpdir(), 'kith-bench-ingest-'));
  const passages: string[] = [];
  await using pool = createParserPool({ processes: availableParallelism() });
  // The start of the parsers' processes is not of the first format.
  await Promise.all(
    Array.from({ length: availableParallelism() }, async () => {
      for await (const _ of pool.parse({ bytes: Buffer.from('# A title\n\nText.\n'), name: 'a.md' }));
    }),
  );
  let all = { files: 0, ms: 0, chunks: 0, disk: 0 };
  let held = 0;
  const refused = new Map<string, string[]>();
  try {
    for (const [format, files] of chosen) {
      if (files.length === 0) {
        rows.push([format, 'none found', '', '', '', '', '', '', '']);
        continue;
      }
      const share = Math.min(files.length, Math.floor(left / kinds));
      left -= share;
      kinds--;
      // Evenly over all that there are.
      const taken = Array.from({ length: share }, (_, i) => files[Math.floor((i * files.length) / share)]!);
      const path = join(folder, `${format}.kb`);
      using store = openKnowledgeStore({ path, create: { name: format, clock: systemClock } });
      let end: IngestTotals | null = null;
      const from = performance.now();
      for await (const event of ingest(sources(taken), {
        ...{ store, pool, embedder: noModel, clock: systemClock },
      }))
        if (event.kind === 'end') end = event.totals;
      const ms = performance.now() - from;
      const { done, failed, bytes, documents, chunks } = end!;
      const { bytes: disk } = store.counts();
      for (const { path: name, code } of store.files({ stage: 'failed', limit: 1000 })) {
        const key = `${format}: ${code ?? ''}`;
        refused.set(key, [...(refused.get(key) ?? []), name]);
      }
      held += await memoryOf(store);
      if (passages.length < EMBEDDED)
        for (const chunk of store.allChunks()) {
          if (passages.length >= EMBEDDED) break;
          passages.push(passageOf(chunk));
        }
      all = {
        files: all.files + taken.length,
        ms: all.ms + ms,
        chunks: all.chunks + chunks,
        disk: all.disk + disk,
      };
      rows.push([
        ...[format, taken.length, done, failed, (bytes / 2 ** 20).toFixed(1), documents, chunks],
        ...[Math.round((taken.length / ms) * 60_000), (ms / taken.length).toFixed(1)],
      ]);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  console.log(
    table(
      ['format', 'files', 'taken in', 'refused', 'MiB', 'documents', 'chunks', 'files a minute', 'ms a file'],
      rows.map((row) => row.map(String)),
    ),
  );
  console.log(
    `\nWithout vectors: ${all.files} files in ${(all.ms / 1000).toFixed(1)} s, ${Math.round((all.files / all.ms) * 60_000)} a minute, ${all.chunks} chunks; for 1,000 of them ${(all.disk / 2 ** 20 / (all.chunks / 1000)).toFixed(1)} MiB on the disk and ${(held / 2 ** 20 / (all.chunks / 1000)).toFixed(1)} MiB of memory for search and graph.`,
  );
  for (const [why, names] of refused)
    console.log(
      `Refused, ${why}: ${names.slice(0, 6).join(', ')}${names.length > 6 ? ` and ${names.length - 6} more` : ''}`,
    );
  await embedding(passages, all);
}

/** Bytes that vectors and graph of a KB take in memory. */
async function memoryOf(store: KnowledgeStore): Promise<number> {
  const bytes = (): number => {
    collect();
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    return heapUsed + external + arrayBuffers;
  };
  const before = bytes();
  await using retriever = createRetriever({ store, embedder: noModel, graph: followGraph(store) });
  await retriever.warm();
  const after = bytes();
  // Kept until here.
  await retriever.search('anything', { limit: 1, by: 'graph' });
  return Math.max(0, after - before);
}

async function embedding(
  passages: readonly string[],
  all: { readonly files: number; readonly ms: number; readonly chunks: number },
): Promise<void> {
  if (passages.length === 0) return;
  for (const threads of [1, availableParallelism()]) {
    await using embedder = await openMiniLm(threads);
    await embedder.embed(passages.slice(0, 16), { kind: 'passage' });
    const from = performance.now();
    for (let at = 0; at < passages.length; at += 32)
      await embedder.embed(passages.slice(at, at + 32), { kind: 'passage' });
    const rate = (passages.length / (performance.now() - from)) * 1000;
    const whole = all.ms / 1000 + all.chunks / rate;
    console.log(
      `all-MiniLM-L6-v2 with ${threads} thread${threads === 1 ? '' : 's'}: ${rate.toFixed(1)} passages a second; with vectors all ${all.files} files take about ${Math.round(whole)} s, ${((all.files / whole) * 60).toFixed(0)} a minute.`,
    );
  }
}

async function filesOf(folders: readonly string[]): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>(FORMATS.map((format) => [format, []]));
  const vaults: string[] = [];
  for (const cwd of folders)
    for await (const name of glob('**/.obsidian', { cwd })) vaults.push(join(cwd, name, '..'));
  for (const cwd of folders)
    for await (const name of glob(`**/*.{${[...FORMATS, 'yml', 'htm', 'markdown', 'xml'].join(',')}}`, {
      cwd,
    })) {
      const path = join(cwd, name);
      const suffix = extname(name).slice(1).toLowerCase();
      let format = { yml: 'yaml', htm: 'html', markdown: 'md' }[suffix] ?? suffix;
      if (format === 'xml') {
        if (!(await isDump(path))) continue;
        format = 'mediawiki';
      }
      if (format === 'md' && vaults.some((vault) => path.startsWith(vault))) format = 'vault';
      const facts = statSync(path, { throwIfNoEntry: false });
      if (facts?.isFile() && facts.size >= LEAST_BYTES && facts.size <= MOST_BYTES)
        found.get(format)!.push(path);
    }
  for (const files of found.values()) files.sort();
  return found;
}

async function isDump(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(2000), 0, 2000, 0);
    // Also where every second byte is 0.
    return /<mediawiki[\s>]/.test(buffer.toString('latin1').replaceAll('\0', ''));
  } finally {
    await file.close();
  }
}

async function* sources(paths: readonly string[]) {
  for (const [at, path] of paths.entries())
    yield { path: `${at}-${path.split('/').at(-1)}`, source: { path } };
}

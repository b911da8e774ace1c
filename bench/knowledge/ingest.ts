/**
 * How long files take to be taken in, by format: real ones, from folders of this machine, each format in a run of its own with its
 * files in turn of their paths. Once with vectors of zeros, which tells what reading, cutting and storing take, and of some
 * passages with the real embedder, which tells what vectors take: that is most of it.
 *
 * @module bench/knowledge/ingest
 */
import { statSync } from 'node:fs';
import { glob, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { systemClock } from '../../src/base/index.ts';
import {
  createParserPool,
  type Embedder,
  type IngestTotals,
  ingest,
  openKnowledgeStore,
  passageOf,
} from '../../src/knowledge/index.ts';
import { table } from '../lib/stats.ts';
import { openMiniLm } from './embedder.ts';

const FORMATS = 'md txt rst html json yaml toml csv pdf docx pptx xlsx epub eml'.split(' ');
const MOST_BYTES = 4_000_000;
const LEAST_BYTES = 500;
/** Passages that the real embedder gets. */
const EMBEDDED = 192;

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
  try {
    for (const [format, files] of chosen) {
      if (files.length === 0) {
        rows.push([format, 'none found', '', '', '', '', '', '']);
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
      const { done, failed, skipped, bytes, chunks } = end!;
      const { bytes: disk } = store.counts();
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
        ...[format, taken.length, (bytes / 1024 / Math.max(1, done)).toFixed(1), chunks],
        ...[Math.round((taken.length / ms) * 60_000), (ms / taken.length).toFixed(1), failed, skipped],
      ]);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  console.log(
    table(
      ['format', 'files', 'KiB each', 'passages', 'files a minute', 'ms a file', 'failed', 'skipped'],
      rows.map((row) => row.map(String)),
    ),
  );
  console.log(
    `\nWithout vectors: ${all.files} files in ${(all.ms / 1000).toFixed(1)} s, ${Math.round((all.files / all.ms) * 60_000)} a minute, ${all.chunks} passages, ${(all.disk / 1024 / 1024 / (all.chunks / 1000)).toFixed(1)} MiB on the disk for 1,000.`,
  );
  await embedding(passages, all);
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
  for (const cwd of folders)
    for await (const name of glob(`**/*.{${[...FORMATS, 'yml', 'htm', 'markdown'].join(',')}}`, { cwd })) {
      const path = join(cwd, name);
      const suffix = extname(name).slice(1).toLowerCase();
      const format = { yml: 'yaml', htm: 'html', markdown: 'md' }[suffix] ?? suffix;
      const facts = statSync(path, { throwIfNoEntry: false });
      if (facts?.isFile() && facts.size >= LEAST_BYTES && facts.size <= MOST_BYTES)
        found.get(format)!.push(path);
    }
  for (const files of found.values()) files.sort();
  return found;
}

async function* sources(paths: readonly string[]) {
  for (const [at, path] of paths.entries())
    yield { path: `${at}-${path.split('/').at(-1)}`, source: { path } };
}

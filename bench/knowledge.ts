/**
 * `npm run bench:knowledge`: how well and how fast a knowledge base is searched.
 *
 * Quality: judged sets in the form of BEIR (--data FOLDER with one folder a set: scifact, cranfield, ...), with
 * all-MiniLM-L6-v2 in the local engine; vectors are kept in node_modules/.cache/kith, since making them takes minutes.
 * Refusal: questions of each set asked of the documents of the others, which do not answer them.
 * Ingest: real files of a folder taken in, by format.
 * Dream: how much more is known of names after one, and how long it takes; --calls N: passages that TinyLlama reads.
 * Speed: exact search over 50,000 vectors against usearch, LanceDB and pgvector (PGlite), in the same run, made ones and, with --data,
 * passages and sentences of the sets (embedded once, in 10 minutes); whole questions over
 * 50,000 chunks; the graph of 50,000 chunks.
 *
 * Options: --data FOLDER (or KITH_BENCH_DATA), --only quality|refusal|ingest|dream|speed|search|graph, --rivals (installs them into bench/knowledge),
 * --runs FOLDER (writes runs in TREC form), --threads N of the engine (1), --files FOLDER (repeatable; real files for `ingest`, up to
 * 1,000 of all formats, none without).
 *
 * @module bench/knowledge
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Measure, quantile, writeRun } from '../src/knowledge/evaluate/index.ts';
import { type MiniLm, openMiniLm } from './knowledge/embedder.ts';
import { runSet, SETS } from './knowledge/quality.ts';
import { table } from './lib/stats.ts';

const { values: options } = parseArgs({
  options: {
    data: { type: 'string', default: process.env.KITH_BENCH_DATA ?? '' },
    only: { type: 'string' },
    rivals: { type: 'boolean', default: false },
    runs: { type: 'string' },
    calls: { type: 'string', default: '0' },
    threads: { type: 'string', default: '1' },
    files: { type: 'string', multiple: true, default: [] },
  },
});
const wanted = (part: string): boolean => options.only === undefined || options.only === part;

if (wanted('quality')) await quality();
if (wanted('refusal') && options.data !== '') {
  const { refusal } = await import('./knowledge/refusal.ts');
  let engine: MiniLm | null = null;
  await refusal(options.data, async () => {
    engine ??= await openMiniLm(Number(options.threads));
    return engine;
  });
  await (engine as MiniLm | null)?.[Symbol.asyncDispose]();
}
if (wanted('ingest') && options.files.length > 0) {
  const { ingestSpeed } = await import('./knowledge/ingest.ts');
  await ingestSpeed(options.files, 1000);
}
if (wanted('dream') && options.data !== '') {
  const { dreams } = await import('./knowledge/dream.ts');
  let engine: MiniLm | null = null;
  await dreams(
    options.data,
    async () => {
      engine ??= await openMiniLm(Number(options.threads));
      return engine;
    },
    Number(options.calls),
  );
  await (engine as MiniLm | null)?.[Symbol.asyncDispose]();
}
if (wanted('graph')) await (await import('./knowledge/graph.ts')).graphSpeed();
if (wanted('speed') || wanted('search')) {
  const { scanSpeed, searchSpeed } = await import('./knowledge/speed.ts');
  if (wanted('speed')) {
    await scanSpeed({ install: options.rivals });
    if (options.data !== '') {
      const { realVectors } = await import('./knowledge/real-vectors.ts');
      let engine: MiniLm | null = null;
      const real = await realVectors(options.data, 50_000, async () => {
        engine ??= await openMiniLm(Number(options.threads));
        return engine;
      });
      await (engine as MiniLm | null)?.[Symbol.asyncDispose]();
      if (real !== null) await scanSpeed({ install: options.rivals, real });
    }
  }
  if (wanted('search')) await searchSpeed();
}

async function quality(): Promise<void> {
  if (options.data === '') {
    console.log(
      'Quality is skipped: no judged sets were given. --data FOLDER (or KITH_BENCH_DATA) names a folder with sets in the form of BEIR (scifact/corpus.jsonl, queries.jsonl, qrels.tsv).',
    );
    return;
  }
  let engine: MiniLm | null = null;
  const open = async (): Promise<MiniLm> => {
    engine ??= await openMiniLm(Number(options.threads));
    return engine;
  };
  const measures: readonly Measure[] = [
    'ndcg@10',
    'recall@2',
    'recall@5',
    'recall@100',
    'all@5',
    'mrr',
    'map',
  ];
  const percent = (value: number): string => (100 * value).toFixed(2);
  let missed = 0;
  for (const { name, goals } of SETS) {
    const result = await runSet(options.data, name, open);
    if (result === null) {
      console.log(`\n${name}: skipped, ${join(options.data, name)} has no corpus.jsonl.`);
      continue;
    }
    const { verdicts, comparison, cost } = result;
    const rows = [...verdicts].map(([label, { means }]) => [
      label,
      ...measures.map((each) => percent(means.get(each)!)),
    ]);
    console.log(
      `\n${name}: ${result.documents} documents, ${result.questions} questions\n\n${table(['by', ...measures], rows)}`,
    );
    const { difference, low, high, p, wins, losses, ties } = comparison;
    console.log(
      `\nBoth against words, nDCG@10: ${percent(difference)} (${percent(low)} to ${percent(high)}, p ${p.toFixed(4)}; ${wins} better, ${losses} worse, ${ties} alike)`,
    );
    const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(2)} MiB`;
    console.log(
      `A question without embedding it p50 ${cost.p50.toFixed(1)} ms, p95 ${cost.p95.toFixed(1)} ms; for 1,000 chunks: ${cost.secondsPerThousand.toFixed(2)} s to store, ${mib(cost.diskPerThousand)} on disk, ${mib(cost.memoryPerThousand)} in memory`,
    );
    const taken = [...result.routes].map(([way, count]) => `${way} ${count}`).join(', ');
    console.log(
      `Graph and vectors in memory after ${(result.warmMs / 1000).toFixed(2)} s; a question over the graph p50 ${quantile(result.graphMs, 0.5).toFixed(1)} ms, p95 ${quantile(result.graphMs, 0.95).toFixed(1)} ms; ways that questions of "auto" took: ${taken}`,
    );
    for (const { run, measure, least, most } of goals) {
      const value = verdicts.get(run)!.means.get(measure)!;
      const isMet = value >= least && value <= (most ?? 1);
      if (!isMet) missed++;
      const range =
        most === undefined ? `at least ${percent(least)}` : `${percent(least)} to ${percent(most)}`;
      console.log(`${isMet ? 'met' : 'MISSED'}: ${name} ${run} ${measure} ${percent(value)} (${range})`);
    }
    if (options.runs !== undefined) {
      mkdirSync(options.runs, { recursive: true });
      for (const [label, run] of result.runs) {
        const tag = `kith-${label.replaceAll(/[^a-z]+/g, '-')}`;
        writeFileSync(join(options.runs, `${name}.${tag}.trec`), writeRun(run, tag));
      }
    }
  }
  await (engine as MiniLm | null)?.[Symbol.asyncDispose]();
  if (missed > 0) process.exitCode = 1;
}

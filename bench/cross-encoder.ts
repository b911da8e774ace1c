/**
 * `npm run bench:cross-encoder`: pairs of a query and a passage that a reranker with the weights of all-MiniLM-L6-v2 (F16, 6 blocks,
 * 22 million parameters: those of ms-marco-MiniLM-L6) reads in a second, by the length of the pairs, against node-llama-cpp on the same
 * file, in turn and in one run. The head has random weights, which changes no time.
 *
 * Kith is measured from texts to scores, with the way to its process; the other from texts to scores in this one.
 *
 * Options: --rounds N (3), --pairs N (30), --threads 1,2, --lengths 64,128,256,512 (tokens of a pair).
 *
 * @module bench/cross-encoder
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { getLlama, LlamaLogLevel } from 'node-llama-cpp';
import { silentLogger, systemClock, systemRandom } from '../src/base/index.ts';
import { createEngine } from '../src/engine/index.ts';
import { testModel } from '../test/models/index.ts';
import { makeReranker } from '../test/models/reranker.ts';
import { median, ratios, spread, table } from './lib/stats.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    pairs: { type: 'string', default: '30' },
    threads: { type: 'string', default: '1,2' },
    lengths: { type: 'string', default: '64,128,256,512' },
  },
});
const numbers = (list: string) => list.split(',').map(Number);
const [ROUNDS, PAIRS] = [Number(values.rounds), Number(values.pairs)];
const QUERY = 'which metal is used for the wires of power lines';
const WORDS = ['copper', 'river', 'line', 'power', 'house', 'light', 'winter', 'bread', 'metal', 'road'];

/** Words of one token each; the query and what stands around it take 13. */
const passageOf = (tokens: number, from: number) =>
  Array.from({ length: tokens - 13 }, (_, at) => WORDS[(from + at * 7) % WORDS.length]).join(' ');

const folder = await mkdtemp(join(tmpdir(), 'kith-bench-'));
const path = await makeReranker(await testModel('minilm-f16'), join(folder, 'reranker.gguf'));
const rows: string[][] = [];
for (const threads of numbers(values.threads)) {
  await using engine = createEngine({
    ...{ log: silentLogger, clock: systemClock, random: systemRandom },
    ...{ threads, device: 'cpu' },
  });
  await engine.load({ id: 'reranker', path });
  const llama = await getLlama({
    ...{ gpu: false, build: 'never', skipDownload: true, progressLogs: false, maxThreads: threads },
    logLevel: LlamaLogLevel.disabled,
  });
  const model = await llama.loadModel({ modelPath: path });
  const context = await model.createRankingContext({ contextSize: 513, batchSize: 513, threads });
  for (const length of numbers(values.lengths)) {
    const passages = Array.from({ length: PAIRS }, (_, at) => passageOf(length, at));
    const { tokens } = await engine.rank({ model: 'reranker', query: QUERY, passages });
    await context.rankAll(QUERY, passages.slice(0, 2));
    const speeds: { kith: number[]; other: number[] } = { kith: [], other: [] };
    const timed = async (into: number[], work: () => Promise<unknown>) => {
      const began = performance.now();
      await work();
      into.push((PAIRS / (performance.now() - began)) * 1000);
    };
    for (let round = 0; round < ROUNDS; round++) {
      await timed(speeds.kith, () => engine.rank({ model: 'reranker', query: QUERY, passages }));
      await timed(speeds.other, () => context.rankAll(QUERY, passages));
    }
    rows.push([
      ...[String(threads), String(Math.round(median([...tokens])))],
      ...[spread(speeds.kith), spread(speeds.other), spread(ratios(speeds.kith, speeds.other))],
    ]);
  }
  await context.dispose();
  await model.dispose();
  await llama.dispose();
}
await rm(folder, { recursive: true, force: true });
console.log(table(['threads', 'tokens a pair', 'Kith, pairs/s', 'node-llama-cpp, pairs/s', 'ratio'], rows));

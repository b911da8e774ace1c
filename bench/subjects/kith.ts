/** The subject: Kith's engine as the node uses it, through its public door. @module bench/subjects/kith */
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { createLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { createEngine, type Engine } from '../../src/engine/index.ts';
import { serveSubject } from '../lib/subject.ts';

const [path, threadText, banned = ''] = process.argv.slice(2);
/** End tokens: never chosen, so that both sides produce as many tokens as asked. */
const logitBias = banned
  .split(',')
  .filter(Boolean)
  .map((id) => [Number(id), -100] as const);
let engine: Engine | undefined;

// As the product's entry does; the engine's processes inherit it.
enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/kith', import.meta.url)));

async function run(
  prompt: readonly number[],
  count: number,
): Promise<{ first: number; last: number; tokens: number }> {
  let first = 0;
  let tokens = 0;
  const events = engine!.generate({
    model: 'm',
    prompt: { kind: 'tokens', tokens: Int32Array.from(prompt) },
    sampler: { temperature: 0, logitBias },
    maxTokens: count,
    stop: [],
    cachePrompt: false,
  });
  for await (const event of events) {
    if (event.type === 'text' && first === 0) first = performance.now();
    if (event.type === 'finish') tokens = event.usage.completionTokens;
  }
  return { first, last: performance.now(), tokens };
}

serveSubject({
  async open() {
    const start = performance.now();
    engine = createEngine({
      threads: Number(threadText),
      device: 'cpu',
      context: 512,
      maxActive: 16,
      log: createLogger({ level: 'error' }),
      clock: systemClock,
      random: systemRandom,
    });
    await engine.load({ id: 'm', path: path! });
    return performance.now() - start;
  },
  async generate({ prompt, count }: { prompt: number[]; count: number }) {
    const start = performance.now();
    const { first, last, tokens } = await run(prompt, count);
    return { ttftMs: first - start, decodeMs: last - first, tokens };
  },
  async concurrent({ prompts, count }: { prompts: number[][]; count: number }) {
    const start = performance.now();
    const done = await Promise.all(prompts.map((prompt) => run(prompt, count)));
    const total = done.reduce((sum, { tokens }) => sum + tokens, 0);
    return total / ((performance.now() - start) / 1000);
  },
  async embed({ texts }: { texts: string[] }) {
    const start = performance.now();
    const { vectors, dimension } = await engine!.embed({ model: 'm', inputs: texts });
    return {
      perSecond: texts.length / ((performance.now() - start) / 1000),
      first: [...vectors.subarray(0, dimension)],
    };
  },
});

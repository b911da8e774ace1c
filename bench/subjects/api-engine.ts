/** The bare engine as the node drives it, without HTTP. @module bench/subjects/api-engine */
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { createLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { createEngine, type Engine, type Prompt } from '../../src/engine/index.ts';
import { serveSubject } from '../lib/subject.ts';

const [path, threadText, activeText] = process.argv.slice(2);
let engine: Engine | undefined;

// As the product's entry does; the engine's processes inherit it.
enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/kith', import.meta.url)));

interface Ask {
  readonly tokens?: readonly number[];
  readonly user?: string;
  readonly count: number;
  readonly logitBias: readonly (readonly [number, number])[];
}

async function run({ tokens, user, count, logitBias }: Ask) {
  const prompt: Prompt = tokens
    ? { kind: 'tokens', tokens: Int32Array.from(tokens) }
    : { kind: 'messages', messages: [{ role: 'user', content: user! }] };
  const began = performance.now();
  let ttftMs = Number.NaN;
  let made = 0;
  const events = engine!.generate({
    model: 'm',
    prompt,
    sampler: { temperature: 0, logitBias },
    maxTokens: count,
    stop: [],
  });
  for await (const event of events) {
    if (event.type === 'text' && Number.isNaN(ttftMs)) ttftMs = performance.now() - began;
    if (event.type === 'finish') made = event.usage.completionTokens;
  }
  return { ttftMs, totalMs: performance.now() - began, tokens: made };
}

serveSubject({
  async open() {
    engine = createEngine({
      threads: Number(threadText),
      device: 'cpu',
      context: 512,
      maxActive: Number(activeText),
      log: createLogger({ level: 'error' }),
      clock: systemClock,
      random: systemRandom,
    });
    await engine.load({ id: 'm', path: path! });
    return process.pid;
  },
  /** One after the other. */
  async sequence({ asks }: { asks: Ask[] }) {
    const done = [];
    for (const ask of asks) done.push(await run(ask));
    return done;
  },
  /** All at once. */
  together: ({ asks }: { asks: Ask[] }) => Promise.all(asks.map(run)),
  /** As many at once as there are connections; per second. */
  async rate({ asks, connections }: { asks: Ask[]; connections: number }) {
    let next = 0;
    const began = performance.now();
    await Promise.all(
      Array.from({ length: connections }, async () => {
        while (next < asks.length) await run(asks[next++]!);
      }),
    );
    return asks.length / ((performance.now() - began) / 1000);
  },
});

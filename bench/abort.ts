/**
 * `npm run bench:abort`: how soon a client that goes away stops the decoding of its answer.
 *
 * A whole node on TinyLlama streams an endless answer over HTTP; after a few chunks the client destroys its socket.
 * Measured from there: until the engine process counts no active sequence (asked over and over, so each figure includes
 * one round trip), and until the last pass is over (no cell is in use). The target is 50 ms plus at most one forward pass.
 *
 * Options: --aborts N (20), --threads N (cores - 1), --model NAME of the test models (tinyllama).
 *
 * @module bench/abort
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { resolveConfig, silentLogger } from '../src/base/index.ts';
import { createModelStore } from '../src/models/index.ts';
import { createNode, type Node } from '../src/node/index.ts';
import { type TestModelName, testModel } from '../test/models/index.ts';
import { spread, table } from './lib/stats.ts';

const TARGET_MS = 50;

const { values: options } = parseArgs({
  options: {
    aborts: { type: 'string', default: '20' },
    threads: { type: 'string', default: String(Math.max(1, availableParallelism() - 1)) },
    model: { type: 'string', default: 'tinyllama' },
  },
});
const ABORTS = Number(options.aborts);

interface Abort {
  /** ms until the engine process has no active sequence. */
  readonly cancelled: number;
  /** ms until all its cells are free or cached again. */
  readonly released: number;
  /** Forward passes that ended after the socket was destroyed. */
  readonly latePasses: number;
  /** Longest pause between two pieces of text before: the time of one pass. */
  readonly pass: number;
}

async function counters(node: Node) {
  const { models } = await node.engineStatus();
  const { active, counters } = models.find(({ id }) => id === 'subject')!;
  return { active, ...(counters as Record<string, number>) } as Record<string, number>;
}

/** Streams, leaves after `chunks` chunks, and watches the engine process until nothing is left. */
async function abortAfter(node: Node, chunks: number, round: number): Promise<Abort> {
  const body = JSON.stringify({
    stream: true,
    max_tokens: 500,
    temperature: 1,
    seed: round,
    logit_bias: { 2: -100 },
    messages: [{ role: 'user', content: `Tell story number ${round}.` }],
  });
  const pauses: number[] = [];
  const outgoing = request(`${node.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
  });
  outgoing.end(body);
  const at = await new Promise<number>((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      let last = 0;
      let seen = 0;
      response.on('error', () => {}); // Our own end of it.
      response.on('data', () => {
        const now = performance.now();
        // The first chunk names the role; the text begins after the prompt was computed.
        if (++seen > 2) pauses.push(now - last);
        last = now;
        if (seen !== chunks) return;
        outgoing.destroy();
        resolve(performance.now());
      });
    });
  });
  const before = await counters(node);
  let cancelled = before.active === 0 ? performance.now() - at : null;
  for (;;) {
    const now = await counters(node);
    if (cancelled === null && now.active === 0) cancelled = performance.now() - at;
    if (cancelled === null || now.freeCells! + now.cachedCells! !== now.kvCells) continue;
    const latePasses = now.passes! - before.passes!;
    return { cancelled, released: performance.now() - at, latePasses, pass: Math.max(...pauses) };
  }
}

const home = await mkdtemp(join(tmpdir(), 'kith-bench-'));
let node: Node | null = null;
try {
  {
    await using store = createModelStore({ home });
    await store.add(await testModel(options.model as TestModelName), {
      id: 'subject',
      link: true,
      task: 'chat',
    });
  }
  const flags = {
    'models.default': 'subject',
    'server.port': 0,
    'engine.threads': Number(options.threads),
    'engine.device': 'cpu',
    'engine.context': 1024,
  };
  const { config } = resolveConfig({ home, flags, env: {} });
  node = await createNode({ config, log: silentLogger, version: '0.0.0-bench' });
  await node.ready;
  await abortAfter(node, 4, 0);
  const aborts: Abort[] = [];
  for (let round = 1; round <= ABORTS; round++) aborts.push(await abortAfter(node, 4 + (round % 9), round));
  const of = (key: keyof Abort) => aborts.map((each) => each[key]);
  const row = (what: string, key: keyof Abort) => [what, spread(of(key))];
  console.log(
    table(
      [`${options.model}, ${ABORTS} aborts, ${options.threads} threads`, 'median (min-max)'],
      [
        row('socket destroyed to sequence ended, ms', 'cancelled'),
        row('socket destroyed to cells released, ms', 'released'),
        row('passes that ended afterwards', 'latePasses'),
        row('longest pause between two pieces of text, ms', 'pass'),
      ],
    ),
  );
  const late = aborts.filter(({ cancelled, pass }) => cancelled > TARGET_MS + pass).length;
  console.log(
    late === 0
      ? `All within ${TARGET_MS} ms plus one pass.`
      : `${late} of ${ABORTS} took longer than ${TARGET_MS} ms plus one pass.`,
  );
} finally {
  await node?.close();
  await rm(home, { recursive: true, force: true });
}

/**
 * `npm run demo`: three nodes on this machine, each with a third of a model; a question is answered over all of them, one is
 * killed in the middle, and the answer comes out the same.
 *
 * Each node has a home, a key and processes of its own, and they talk as nodes on three machines would. Nothing is left
 * behind. Options: --model ID (tinyllama-1.1b-chat), --tokens N (80), --question TEXT.
 *
 * @module demo/run
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Machine, waitFor } from './machine.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'tinyllama-1.1b-chat' },
    tokens: { type: 'string', default: '80' },
    question: { type: 'string', default: 'Why is the sky blue? Explain it to a child.' },
  },
});
const { model, question } = values;
const TOKENS = Number(values.tokens);
/** Tokens of the answer after which a node is killed. */
const KILL_AFTER = Math.floor(TOKENS / 3);

interface Served {
  readonly served: readonly {
    readonly state: string;
    readonly from: number;
    readonly to: number;
    readonly problem: { readonly message: string } | null;
  }[];
}
interface PlannedShard {
  readonly peer: string;
  readonly from: number;
  readonly to: number;
}
interface Chunk {
  readonly choices: readonly { readonly delta: { readonly content?: string } }[];
  readonly error?: { readonly message: string };
}

const folder = await mkdtemp(join(tmpdir(), 'kith-demo-'));
const machines = ['Ada', 'Ben', 'Cem'].map((name) => new Machine(name, join(folder, name.toLowerCase())));
const [owner, , victim] = machines as [Machine, Machine, Machine];
const ending = async () => {
  for (const machine of machines) await machine.kill();
  await rm(folder, { recursive: true, force: true });
};
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void ending().finally(() => process.exit(130)));

try {
  await demo();
} catch (error) {
  console.error(`\nThe demo did not work: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await ending();
}

async function demo(): Promise<void> {
  say(
    `Three nodes, each with its own key, and friends of each other: ${machines.map(({ name }) => name).join(', ')}.`,
  );
  for (const machine of machines) await machine.create();
  await startAll();

  const blocks = await blocksOf();
  say(`\nEach serves a third of ${model} (${blocks} blocks):`);
  const bounds = [0, 1, 2, 3].map((i) => Math.round((i * blocks) / 3));
  await Promise.all(machines.map((machine, i) => serve(machine, bounds[i]!, bounds[i + 1]!)));
  await waitFor(`${owner.name} to hear of all blocks`, isOffered);
  say(`\nThe path: ${await planned()}`);

  // Both answers begin with the same prompt in memory: how many rows are computed together decides the last bits.
  await answer(() => {}, 1, true);
  say(`\n${owner.name} is asked: ${question}\n`);
  const whole = await answer(() => {});
  say(`\n\n  ${whole.tokens} tokens, ${whole.rate.toFixed(1)} a second.`);

  say(
    `\nThe same question again, and after ${KILL_AFTER} tokens ${victim.name}'s machine loses its power (kill -9).\n`,
  );
  const harmed = await answer(async (count) => {
    if (count !== KILL_AFTER) return;
    process.stdout.write(paint(` [${victim.name} is killed] `));
    await victim.kill();
  });
  say(`\n\n  ${harmed.tokens} tokens; the longest pause was ${(harmed.pause / 1000).toFixed(1)} s.`);
  say(`  The path now: ${(await open()) ?? 'none'}`);
  if (harmed.text === whole.text) say(`\nBoth answers are the same, letter by letter.`);
  else throw new Error('The answers differ. That must not be; please report it.');
}

async function startAll(): Promise<void> {
  for (const [i, machine] of machines.entries()) {
    const before = machines.slice(0, i);
    const addresses = [];
    for (const other of before) {
      const { addresses: own } = await other.ask<{ addresses: readonly string[] }>('GET', '/kith/v1/swarm');
      addresses.push(own[0]!);
    }
    await machine.start({
      'server.port': '0',
      'swarm.enabled': 'true',
      'swarm.network': 'lan',
      'swarm.listen': '/ip4/127.0.0.1/tcp/0',
      'swarm.friends': machines
        .filter((other) => other !== machine)
        .map(({ peer }) => peer)
        .join(','),
      ...(addresses.length > 0 && { 'swarm.bootstrap': addresses.join(',') }),
      'models.default': model,
      // No node has the whole model in memory.
      'gateway.localEngine': 'false',
      'engine.threads': '1',
      'engine.device': 'cpu',
    });
    await waitFor(`the swarm of ${machine.name}`, async () => {
      const { state } = await machine.ask<{ state: string }>('GET', '/kith/v1/swarm');
      return state === 'running';
    });
    say(`  ${machine.name.padEnd(4)} ${machine.peer}`);
  }
}

async function blocksOf(): Promise<number> {
  const shown = JSON.parse(await owner.kith('models', 'show', model, '--json')) as {
    manifest?: { blocks: number };
    blocks?: number;
  };
  return shown.manifest?.blocks ?? shown.blocks!;
}

async function serve(machine: Machine, from: number, to: number): Promise<void> {
  await machine.kith(
    'shard',
    'serve',
    '--model',
    model,
    '--start-block',
    String(from),
    '--blocks',
    String(to - from),
  );
  await waitFor(`the blocks of ${machine.name}`, async () => {
    const { served } = await machine.ask<Served>('GET', '/kith/v1/shards/serving');
    const failed = served.find(({ state }) => state === 'failed');
    if (failed !== undefined) throw new Error(`${machine.name}: ${failed.problem?.message}`);
    return served.some(({ state }) => state === 'ready');
  });
  say(`  ${machine.name.padEnd(4)} blocks ${from} to ${to - 1}`);
}

/** Whether the owner's node offers the model to programs. */
async function isOffered(): Promise<boolean> {
  const { data } = await owner.ask<{ data: readonly { id: string }[] }>('GET', '/v1/models');
  return data.some(({ id }) => id === model);
}

/** Who computes which blocks, as it would be chosen now; null when there is no path. */
async function planned(): Promise<string | null> {
  const { path } = await owner.ask<{ path: { shards: readonly PlannedShard[] } | null }>(
    'GET',
    `/kith/v1/shards/plan?model=${encodeURIComponent(model)}`,
  );
  if (path === null) return null;
  return inWords(path.shards);
}

/** Who computes on the path that is open; null when none is. */
async function open(): Promise<string | null> {
  const { circuits } = await owner.ask<{ circuits: readonly { shards: readonly PlannedShard[] }[] }>(
    'GET',
    '/kith/v1/shards/circuits',
  );
  return circuits[0] === undefined ? null : inWords(circuits[0].shards);
}

function inWords(shards: readonly PlannedShard[]): string {
  const nameOf = (peer: string) => machines.find((machine) => machine.peer === peer)?.name ?? peer;
  return shards.map(({ peer, from, to }) => `${nameOf(peer)} [${from}, ${to})`).join(' -> ');
}

/** Asks over HTTP as any program would; shows the answer as it comes. */
async function answer(onToken: (count: number) => void | Promise<void>, most = TOKENS, isSilent = false) {
  const response = await fetch(`${owner.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model,
      messages: [{ role: 'user', content: question }],
      temperature: 0,
      max_tokens: most,
      stream: true,
    }),
  });
  if (!response.ok) throw new Error(await response.text());
  let [text, tokens, pause, last, first] = ['', 0, 0, 0, 0];
  let rest = '';
  for await (const bytes of response.body!.pipeThrough(new TextDecoderStream())) {
    const lines = `${rest}${bytes}`.split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      if (!line.startsWith('data: ') || line === 'data: [DONE]') continue;
      const chunk = JSON.parse(line.slice(6)) as Chunk;
      if (chunk.error !== undefined) throw new Error(chunk.error.message);
      const piece = chunk.choices[0]?.delta.content ?? '';
      if (piece === '') continue;
      const now = performance.now();
      if (tokens > 0) pause = Math.max(pause, now - last);
      else first = now;
      last = now;
      text += piece;
      tokens++;
      if (!isSilent) process.stdout.write(piece);
      await onToken(tokens);
    }
  }
  return { text, tokens, pause, rate: ((tokens - 1) * 1000) / (last - first) };
}

function say(line: string): void {
  console.log(line);
}

function paint(text: string): string {
  return process.stdout.isTTY ? `\u001b[31m${text}\u001b[0m` : text;
}

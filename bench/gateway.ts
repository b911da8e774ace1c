/**
 * `npm run bench:gateway`: what Kith's gateway costs in front of another server, beside nginx (the floor), a bare
 * node:http + undici pass-through (what any gateway in JavaScript pays) and Portkey's gateway.
 *
 * Every gateway has the first core to itself; the server behind and the client share the second. The servers are asked in
 * turn, round by round. The processor time of the gateway's own process, from /proc, is the figure that others on the
 * machine disturb least. Kith runs with its access log, figures, budgets and the whole policy on.
 *
 * Needs Linux; installs nginx and wrk from Debian and Portkey into bench/rivals where they are missing.
 *
 * Options: --quick (short rounds, small soak), --rounds N (5), --only whole|streams|soak, --without NAME,...
 * (nginx, pass-through, portkey), --requests N and --aborts N of the soak (1000000, 10000), --json FILE.
 *
 * @module bench/gateway
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { provideTools } from './gateway/debian.ts';
import { type Load, load } from './gateway/load.ts';
import { startAnswering, startPassing } from './gateway/nginx.ts';
import { cores, folder, freePort, type Pinned, startPinned } from './gateway/pinned.ts';
import type { StreamsSeen } from './gateway/streams.ts';
import { cpuMs, rssOf } from './lib/process-usage.ts';
import { median, ratios, spread, table } from './lib/stats.ts';
import { startSubject } from './lib/subject.ts';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string' },
    without: { type: 'string', default: '' },
    requests: { type: 'string' },
    aborts: { type: 'string' },
    json: { type: 'string' },
  },
});
const { quick } = options;
const rounds = Number(options.rounds ?? (quick ? 3 : 5));
const seconds = quick ? 3 : 5;
/** A gateway in JavaScript is measured when its code is compiled. */
const warmSeconds = quick ? 10 : 20;
const without = new Set(options.without.split(','));
const parts = options.only?.split(',') ?? ['whole', 'streams', 'soak'];
const RIVALS = join(import.meta.dirname, 'rivals');
const PORTKEY = join(RIVALS, 'node_modules', '@portkey-ai', 'gateway', 'build', 'start-server.js');

provideTools();

/** 0.8 KB, as a server answers. */
const answer = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 1_790_000_000,
  model: 'm',
  choices: [
    { index: 0, message: { role: 'assistant', content: 'word '.repeat(120) }, finish_reason: 'stop' },
  ],
  usage: { prompt_tokens: 200, completion_tokens: 120, total_tokens: 320 },
});
const bodyOf = (bytes: number) =>
  JSON.stringify({
    model: 'm',
    temperature: 0.7,
    max_tokens: 200,
    messages: [{ role: 'user', content: 'lorem ipsum '.repeat(bytes / 12 - 8) }],
  });

interface Gateway {
  readonly name: string;
  readonly process: Pinned;
  readonly headers: Readonly<Record<string, string>>;
}

const script = (name: string) => join(import.meta.dirname, 'gateway', `${name}.ts`);

async function startGateways(upstream: number): Promise<Gateway[]> {
  const started: Gateway[] = [];
  const add = async (name: string, process: Promise<Pinned>, headers: Record<string, string> = {}) =>
    started.push({ name, process: await process, headers });
  const node = async (file: string, ...args: string[]) => {
    const port = await freePort();
    return startPinned(cores.gateway, port, [
      process.execPath,
      file,
      String(port),
      String(upstream),
      ...args,
    ]);
  };
  if (!without.has('nginx')) await add('nginx', startPassing(upstream));
  if (!without.has('pass-through')) await add('node:http + undici', node(script('pass-through')));
  await add('Kith', node(script('kith'), folder));
  if (!without.has('portkey')) {
    if (!existsSync(PORTKEY)) {
      console.log('Installing the rivals (bench/rivals) ...');
      execFileSync('npm', ['ci', '--ignore-scripts', '--prefix', RIVALS], { stdio: 'inherit' });
    }
    const port = await freePort();
    const command: [string, ...string[]] = [process.execPath, PORTKEY, `--port=${port}`, '--headless'];
    // Its own way of saying where a request goes.
    await add('Portkey', startPinned(cores.gateway, port, command), {
      'x-portkey-provider': 'openai',
      'x-portkey-custom-host': `http://127.0.0.1:${upstream}/v1`,
      authorization: 'Bearer x',
    });
  }
  return started;
}

async function end(gateways: readonly Gateway[]): Promise<void> {
  for (const { process } of gateways) await process[Symbol.asyncDispose]();
}

async function whole(): Promise<unknown> {
  await using upstream = await startAnswering(answer);
  const gateways = await startGateways(upstream.port);
  const results: Record<string, Record<string, Load[]>> = {};
  for (const [size, bytes] of [
    ['1 KB', 1000],
    ['32 KB', 32_000],
  ] as const) {
    const body = bodyOf(bytes);
    const of: Record<string, Load[]> = {};
    results[size] = of;
    for (let round = -1; round < rounds; round++) {
      for (const { name, process, headers } of gateways) {
        const asked = { pid: process.pid, port: process.port, connections: 16, body, headers };
        // A heap that lay idle for the others' turns shrinks, and grows again at first.
        if (round >= 0) await load({ ...asked, seconds: 1 });
        const measured = await load({ ...asked, seconds: round < 0 ? warmSeconds : seconds });
        if (measured.failed > 0)
          throw new Error(`${name}: ${measured.failed} of ${measured.requests} requests failed.`);
        if (round < 0) continue;
        of[name] ??= [];
        of[name].push(measured);
      }
    }
    const pick = (name: string, key: keyof Load) => of[name]!.map((each) => each[key]);
    const rows = gateways.map(({ name, process }) => [
      name,
      spread(pick(name, 'cpu')),
      of.nginx === undefined ? '-' : spread(ratios(pick('nginx', 'cpu'), pick(name, 'cpu'), false)),
      of['node:http + undici'] === undefined
        ? '-'
        : spread(ratios(pick('node:http + undici', 'cpu'), pick(name, 'cpu'), false)),
      spread(pick(name, 'perSecond')),
      of.Portkey === undefined ? '-' : spread(ratios(pick(name, 'perSecond'), pick('Portkey', 'perSecond'))),
      spread(pick(name, 'p50')),
      spread(pick(name, 'p99')),
      (rssOf(process.pid) / 2 ** 20).toFixed(0),
    ]);
    const head = [
      `${size}, 16 connections`,
      'CPU µs/request',
      'x nginx',
      'x pass-through',
      'requests/s',
      'x Portkey',
      'p50 ms',
      'p99 ms',
      'RSS MiB',
    ];
    console.log(`${table(head, rows)}\n`);
  }
  await end(gateways);
  return results;
}

function note(of: Record<string, number[]>, name: string, value: number): void {
  of[name] ??= [];
  of[name].push(value);
}

async function streams(): Promise<unknown> {
  const port = await freePort();
  await using upstream = await startPinned(cores.others, port, [
    process.execPath,
    script('streaming'),
    String(port),
  ]);
  const gateways = await startGateways(upstream.port);
  const client = startSubject('client', new URL('./gateway/streams.ts', import.meta.url), []);
  execFileSync('taskset', ['-cp', String(cores.others), String(await client.call('pid'))], {
    stdio: 'ignore',
  });
  const direct: Gateway = { name: 'direct', process: upstream, headers: {} };
  const all = [direct, ...gateways];
  const first: Record<string, number[]> = {};
  const perChunk: Record<string, number[]> = {};
  const burst: Record<string, number[]> = {};
  for (let round = -2; round < rounds * 2; round++) {
    for (const { name, process, headers } of all) {
      const asked = { port: process.port, headers };
      const ask = (model: string, count: number) =>
        client.call<StreamsSeen>('together', { ...asked, model, streams: count });
      // Code is compiled when it was used often.
      if (round === -2) for (let i = 0; i < (quick ? 40 : 100); i++) await ask('burst-8', 50);
      const seen: number[] = [];
      for (let i = 0; i < 5; i++) seen.push(median((await ask('burst-8', 50)).firstMs));
      const before = cpuMs(process.pid);
      // Paced as models write: five thousand chunks a second.
      const paced = await ask('paced-200', 50);
      const spent = cpuMs(process.pid) - before;
      const fast = await ask('burst-200', 50);
      if (round < 0) continue;
      note(first, name, median(seen));
      note(perChunk, name, (spent * 1000) / paced.events);
      note(burst, name, fast.events / fast.seconds);
    }
  }
  const rows = all.map(({ name }) => [
    name,
    spread(first[name]!),
    spread(first[name]!.map((ms, i) => ms - first.direct![i]!)),
    name === 'direct' ? '-' : spread(perChunk[name]!),
    spread(burst[name]!),
  ]);
  const head = [
    '50 streams at once',
    'first token p50, ms',
    'over direct, ms',
    'CPU µs/chunk, paced',
    'burst chunks/s',
  ];
  console.log(`${table(head, rows)}\n`);
  await client.stop();
  await end(gateways);
  return { first, perChunk, burst };
}

/** Memory of Kith over many requests and streams that their clients leave. */
async function soak(): Promise<unknown> {
  const requests = Number(options.requests ?? (quick ? 50_000 : 1_000_000));
  const aborts = Number(options.aborts ?? (quick ? 1000 : 10_000));
  await using upstream = await startAnswering(answer);
  const streamPort = await freePort();
  await using streaming = await startPinned(cores.others, streamPort, [
    process.execPath,
    script('streaming'),
    String(streamPort),
  ]);
  const start = async (behind: number) => {
    const port = await freePort();
    const command: [string, ...string[]] = [
      process.execPath,
      script('kith'),
      String(port),
      String(behind),
      folder,
    ];
    return startPinned(cores.gateway, port, command);
  };
  const samples: { readonly done: string; readonly rss: number }[] = [];
  const note = (done: string, pid: number) => samples.push({ done, rss: rssOf(pid) });
  {
    await using kith = await start(upstream.port);
    note('start', kith.pid);
    const body = bodyOf(1000);
    const asked = { pid: kith.pid, port: kith.port, connections: 16, body };
    for (let done = 0, step = 1; done < requests; ) {
      const { requests: more } = await load({ ...asked, seconds: quick ? 2 : 10 });
      done += more;
      if (done < (requests / 10) * step) continue;
      note(`${done} requests`, kith.pid);
      step = Math.floor((done / requests) * 10) + 1;
    }
  }
  {
    await using kith = await start(streaming.port);
    const client = startSubject('client', new URL('./gateway/streams.ts', import.meta.url), []);
    note('start, for streams', kith.pid);
    for (let part = 1; part <= 10; part++) {
      await client.call('leave', {
        ...{ port: kith.port, model: 'paced-200', streams: 50, headers: {}, count: aborts / 10 },
      });
      note(`${(aborts / 10) * part} streams left`, kith.pid);
    }
    await client.stop();
  }
  const rows = samples.map(({ done, rss }) => [done, (rss / 2 ** 20).toFixed(1)]);
  console.log(`${table(['Kith', 'RSS MiB'], rows)}\n`);
  return samples;
}

console.log(
  `${cpus()[0]?.model}, two cores, Node ${process.version}. Medians (min-max) of ${rounds} rounds.\n`,
);
const results: Record<string, unknown> = {};
for (const [name, part] of Object.entries({ whole, streams, soak }))
  if (parts.includes(name)) results[name] = await part();
if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(results, null, 2)}\n`);

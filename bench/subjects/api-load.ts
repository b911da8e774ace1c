/** The client: loads a server over raw sockets, from a process of its own. @module bench/subjects/api-load */
import { eventCounter, openRaw, type RawConnection, requestBytes } from '../lib/raw-http.ts';
import { serveSubject } from '../lib/subject.ts';

export interface LoadArguments {
  readonly port: number;
  readonly connections: number;
  readonly count: number;
  readonly method: string;
  readonly path: string;
  readonly body?: object;
}
export interface StreamArguments {
  readonly port: number;
  readonly path: string;
  readonly bodies: readonly object[];
  /** Index of the first event that carries text. */
  readonly firstText: number;
}
export interface SoakArguments {
  readonly port: number;
  readonly connections: number;
  readonly count: number;
  readonly seed: number;
  /** Share of requests that leave before their answer is whole. */
  readonly aborts: number;
  readonly prompts: readonly number[][];
}

async function load({ port, connections, count, method, path, body }: LoadArguments) {
  const bytes = requestBytes(method, path, body);
  const open = await Promise.all(Array.from({ length: connections }, () => openRaw(port)));
  const times: number[] = [];
  let sent = 0;
  const began = performance.now();
  await Promise.all(
    open.map(async (connection) => {
      while (sent < count) {
        sent++;
        const at = performance.now();
        const { status } = await connection.send(bytes);
        if (status !== 200) throw new Error(`${method} ${path} answered ${status}`);
        times.push(performance.now() - at);
      }
      connection.close();
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))]!;
  return { perSecond: count / seconds, seconds, p50: at(0.5), p99: at(0.99) };
}

async function timed(connection: RawConnection, request: Buffer, firstText: number) {
  const began = performance.now();
  let ttftMs = Number.NaN;
  let events = 0;
  const count = eventCounter((index) => {
    events++;
    if (index === firstText) ttftMs = performance.now() - began;
  });
  const { status } = await connection.send(request, count);
  if (status !== 200) throw new Error(`POST answered ${status}`);
  return { ttftMs, totalMs: performance.now() - began, events };
}

/** All at once, each on a connection that is open already. */
async function together({ port, path, bodies, firstText }: StreamArguments) {
  const open = await Promise.all(bodies.map(() => openRaw(port)));
  const requests = bodies.map((body) => requestBytes('POST', path, body));
  const done = await Promise.all(open.map((connection, i) => timed(connection, requests[i]!, firstText)));
  for (const connection of open) connection.close();
  return done;
}

/** One after the other on one connection. */
async function sequence({ port, path, bodies, firstText }: StreamArguments) {
  const connection = await openRaw(port);
  const requests = bodies.map((body) => requestBytes('POST', path, body));
  const done = [];
  for (const request of requests) done.push(await timed(connection, request, firstText));
  connection.close();
  return done;
}

/** Numbers from 0 to 1, the same for a seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Half looks at the models, a quarter completes one token, a quarter streams eight. */
async function soak({ port, connections, count, seed, aborts, prompts }: SoakArguments) {
  const next = seeded(seed);
  const models = requestBytes('GET', '/v1/models');
  const completion = (max_tokens: number, stream: boolean) =>
    requestBytes('POST', '/v1/completions', {
      prompt: prompts[Math.floor(next() * prompts.length)],
      max_tokens,
      stream,
      temperature: 0,
    });
  const tally = { models: 0, completions: 0, streams: 0, aborted: 0, refused: 0 };
  let sent = 0;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: connections }, async () => {
      let connection: RawConnection = await openRaw(port);
      while (sent < count) {
        sent++;
        const kind = next();
        const leaves = next() < aborts;
        const streaming = kind >= 0.75;
        tally[kind < 0.5 ? 'models' : streaming ? 'streams' : 'completions']++;
        const bytes = kind < 0.5 ? models : streaming ? completion(8, true) : completion(1, false);
        if (!leaves) {
          const { status } = await connection.send(bytes);
          if (status !== 200) tally.refused++;
          continue;
        }
        tally.aborted++;
        // Streams are left after their first bytes, whole answers before any.
        if (streaming) {
          const leaving = connection;
          await leaving.send(bytes, () => leaving.close()).catch(() => {});
        } else await connection.abandon(bytes);
        connection = await openRaw(port);
      }
      connection.close();
    }),
  );
  return { ...tally, seconds: (performance.now() - began) / 1000 };
}

serveSubject({ load, together, sequence, soak });

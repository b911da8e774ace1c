/**
 * A node (Bob), and Eves in this process whose calls a test can watch, hold up and refuse.
 *
 * @module test/vault/bob-and-eves
 */
import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CborMap, setInFile, silentLogger } from '../../src/base/index.ts';
import type { Node } from '../../src/node/index.ts';
import type { JobView } from '../../src/server/index.ts';
import { createEveHost, type EveHost, VAULT_METHOD } from '../../src/vault/index.ts';
import { createHome, startNode, type TestHome } from '../node-support.ts';
import { type Member, startMember } from '../swarm/members.ts';
import { until } from '../swarm-support.ts';

export interface WatchedEve extends Member {
  readonly host: EveHost;
  readonly folder: string;
  /** Before each call of hers; what it throws, the caller gets. */
  before: (op: string, call: EveCall) => void | Promise<void>;
  /** Whom she lends to: everybody. */
  welcome: (peer: string) => boolean;
}

interface EveCall {
  readonly metadata: CborMap;
  readonly payload: Uint8Array;
}

/** @param number draws her key */
export async function watchedEve(number: number, base: string): Promise<WatchedEve> {
  const member = await startMember(number, { gate: { tierOf: () => 'trusted' } });
  const folder = join(base, `eve-${number}`);
  const host = createEveHost({
    ...{ folder, capacityBytes: 1e9, largestBytes: 5e8, days: 90, graceDays: 30, reserveBytes: 0 },
    log: silentLogger,
  });
  const eve: WatchedEve = Object.assign(member, {
    ...{ host, folder, before: () => {}, welcome: () => true },
  });
  (member.swarm as { handle: Member['swarm']['handle'] }).handle(VAULT_METHOD, {
    caps: { maxPayloadBytes: 4 << 20, maxMetadataBytes: 48 << 10, maxConcurrent: 8 },
    async handler({ peer, metadata, payload }) {
      await eve.before(String(metadata.op), { metadata, payload });
      return host.answer({ peer, welcome: eve.welcome(peer), metadata, payload });
    },
  });
  return eve;
}

export interface Bob {
  readonly node: Node;
  readonly home: TestHome;
  call<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** The job when it is over. */
  ended(job: JobView): Promise<JobView>;
  /** The same; fails the test if it was not done. */
  done(job: JobView): Promise<JobView>;
}

/** @param keyOf whose identity it has; a new one without */
export async function bobHome(keyOf?: TestHome): Promise<TestHome> {
  const home = await createHome();
  if (keyOf !== undefined) {
    await rm(join(home.path, 'identity'), { recursive: true, force: true });
    await cp(join(keyOf.path, 'identity'), join(home.path, 'identity'), { recursive: true });
  }
  for (const [key, value] of Object.entries({
    ...{ 'swarm.enabled': true, 'swarm.network': 'lan', 'swarm.listen': '/ip4/127.0.0.1/tcp/0' },
    ...{ 'swarm.connectionsPerSecond': 1000, 'vault.autoSync': false, 'vault.checkHours': 0 },
  }))
    await setInFile(home.path, key, value);
  return home;
}

/** @param eves that it knows by their addresses */
export async function startBob(
  home: TestHome,
  eves: readonly WatchedEve[],
  flags: Readonly<Record<string, unknown>> = {},
): Promise<Bob> {
  // Jobs that go on do so at once, before anybody could tell where the Eves are.
  const known = eves.map(({ swarm }) => swarm.addresses[0]).join(',');
  const node = await startNode(home, { ...(known !== '' && { 'swarm.bootstrap': known }), ...flags });
  const { token } = JSON.parse(await readFile(join(home.path, 'run', 'node.json'), 'utf8')) as {
    token: string;
  };
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${node.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const told = (await response.json()) as T & { error?: { code: string; message: string } };
    if (!response.ok) throw Object.assign(new Error(told.error?.message), { code: told.error?.code });
    return told;
  };
  for (const eve of eves)
    await until(
      () =>
        call('POST', '/kith/v1/swarm/connect', { target: eve.swarm.addresses[0] }).then(
          () => true,
          () => false,
        ),
      (connected) => connected,
    );
  const ended = async (job: JobView): Promise<JobView> => {
    for (
      let now = job;
      ;
      now = await call<JobView>('GET', `/api/rag/kbs/${now.kb}/jobs/${now.id}?seen=${now.step}`)
    )
      if (now.state !== 'waiting' && now.state !== 'running') return now;
  };
  return {
    ...{ node, home, call, ended },
    async done(job) {
      const over = await ended(job);
      assert.equal(over.state, 'done', JSON.stringify(over.error));
      return over;
    },
  };
}

export async function endEves(eves: readonly WatchedEve[]): Promise<void> {
  for (const eve of eves) {
    await eve[Symbol.asyncDispose]();
    await eve.host[Symbol.asyncDispose]();
  }
}

/** A knowledge base of some notes, one file each. */
export async function takeNotes(
  bob: Bob,
  kb: string,
  notes: Readonly<Record<string, string>>,
  base: string,
): Promise<void> {
  const folder = join(base, kb);
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(notes)) await writeFile(join(folder, name), text);
  await bob.call('POST', '/api/rag/kbs', { name: kb });
  const paths = Object.keys(notes).map((name) => join(folder, name));
  await bob.done(await bob.call('POST', `/api/rag/kbs/${kb}/ingest`, { paths }));
}

export const temporaryFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'kith-vault-'));

/**
 * A node (Bob), and Eves in this process whose calls a test can watch, hold up and refuse.
 *
 * @module test/vault/bob-and-eves
 */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setInFile, silentLogger } from '../../src/base/index.ts';
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
  before: (op: string) => void | Promise<void>;
}

/** @param number draws her key */
export async function watchedEve(number: number, base: string): Promise<WatchedEve> {
  const member = await startMember(number, { gate: { tierOf: () => 'trusted' } });
  const folder = join(base, `eve-${number}`);
  const host = createEveHost({
    ...{ folder, capacityBytes: 1e9, largestBytes: 5e8, days: 90, graceDays: 30, reserveBytes: 0 },
    log: silentLogger,
  });
  const eve: WatchedEve = Object.assign(member, { host, folder, before: () => {} });
  (member.swarm as { handle: Member['swarm']['handle'] }).handle(VAULT_METHOD, {
    caps: { maxPayloadBytes: 4 << 20, maxMetadataBytes: 48 << 10, maxConcurrent: 8 },
    async handler({ peer, metadata, payload }) {
      await eve.before(String(metadata.op));
      return host.answer({ peer, welcome: true, metadata, payload });
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
export async function startBob(home: TestHome, eves: readonly WatchedEve[]): Promise<Bob> {
  const node = await startNode(home);
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
  return {
    ...{ node, home, call },
    async ended(job) {
      for (
        let now = job;
        ;
        now = await call<JobView>('GET', `/api/rag/kbs/${now.kb}/jobs/${now.id}?seen=${now.step}`)
      )
        if (now.state !== 'waiting' && now.state !== 'running') return now;
    },
  };
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
  const { state, error } = await bob.ended(await bob.call('POST', `/api/rag/kbs/${kb}/ingest`, { paths }));
  if (state !== 'done') throw new Error(JSON.stringify(error));
}

export const temporaryFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'kith-vault-'));

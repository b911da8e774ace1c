/**
 * Real nodes for the tests of the vault's pages: Bob, who has a knowledge base, and Eves, who lend space to everybody.
 *
 * @module test/browser/vaults
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { setInFile } from '../../src/base/index.ts';
import type { Node } from '../../src/node/index.ts';
import type { JobView } from '../../src/server/index.ts';
import { createHome, startNode, type TestHome } from '../node-support.ts';
import { type SwarmNode, startSwarmNode, swarmHome } from '../swarm-support.ts';

export interface Vaults extends AsyncDisposable {
  readonly bob: { readonly node: Node; readonly home: string };
  readonly eves: readonly SwarmNode[];
  /** PeerIds of the Eves. */
  readonly peers: readonly string[];
  call<T>(method: string, path: string, body?: object): Promise<T>;
  ended(job: JobView): Promise<JobView>;
}

export const PLANTED = 'The blue notebook lies under the third stair.';

const LISTEN = {
  'swarm.enabled': true,
  'swarm.network': 'lan',
  'swarm.listen': '/ip4/127.0.0.1/tcp/0',
  'swarm.connectionsPerSecond': 1000,
};

async function homeOfBob(): Promise<TestHome> {
  const home = await createHome();
  for (const [key, value] of Object.entries(LISTEN)) await setInFile(home.path, key, value);
  return home;
}

const homeOfEve = () =>
  swarmHome({
    'storage.enabled': true,
    'storage.capacityBytes': 1e9,
    'storage.tenantBytes': 5e8,
    'storage.serveTier': 'unknown',
  });

const tokenOf = async (home: string): Promise<string> =>
  (JSON.parse(await readFile(join(home, 'run', 'node.json'), 'utf8')) as { token: string }).token;

/** The part of a one-time link behind the address, as `kith open` prints it. */
export async function entryOf(node: { readonly node: Node; readonly home: string }): Promise<string> {
  const answer = await fetch(`${node.node.url}/kith/v1/entry/codes`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await tokenOf(node.home)}` },
  });
  return `#enter=${((await answer.json()) as { code: string }).code}`;
}

/** Follows a one-time link on whatever page is open. */
export async function enter(page: Page, node: Vaults['bob']): Promise<void> {
  const entry = await entryOf(node);
  await page.evaluate((hash) => {
    location.hash = hash;
  }, entry);
}

export async function openVaults(): Promise<Vaults> {
  await using opening = new AsyncDisposableStack();
  const home = opening.use(await homeOfBob());
  const [node, ...eves] = await Promise.all([
    startNode(home),
    homeOfEve().then(startSwarmNode),
    homeOfEve().then(startSwarmNode),
  ]);
  opening.adopt(node, (each) => each.close());
  for (const eve of eves) opening.use(eve);
  const bob = { node, home: home.path };
  const token = await tokenOf(home.path);
  const call = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const response = await fetch(`${node.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return (await response.json()) as T;
  };
  const ended = async (job: JobView): Promise<JobView> => {
    let now = job;
    while (now.state === 'waiting' || now.state === 'running')
      now = await call<JobView>('GET', `/api/rag/kbs/${now.kb}/jobs/${now.id}?seen=${now.step}`);
    return now;
  };
  const views = await Promise.all(eves.map((eve) => eve.view()));
  await call('GET', '/kith/v1/swarm/peers');
  for (const view of views) await call('POST', '/kith/v1/swarm/connect', { target: view.addresses[0]! });
  const notes = join(home.path, 'Notes');
  await mkdir(notes);
  await writeFile(join(notes, 'stairs.md'), `# Hidden things\n\n${PLANTED} ${'More words. '.repeat(40)}\n`);
  await writeFile(join(notes, 'tea.md'), '# Tea\n\nGreen tea takes two minutes.\n');
  await call('POST', '/api/rag/kbs', { name: 'notes' });
  const job = await call<JobView>('POST', '/api/rag/kbs/notes/ingest', {
    paths: [join(notes, 'stairs.md'), join(notes, 'tea.md')],
  });
  await ended(job);
  const open = opening.move();
  return {
    ...{ bob, eves, call, ended, peers: views.map(({ peer }) => peer) },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

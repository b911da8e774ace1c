/**
 * Kith nodes as processes of their own that can be killed: Bob, Eves of two operators, and a machine that has Bob's key and nothing else.
 *
 * @module test/vault/kill-swarm
 */
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Machine, waitFor } from '../../demo/machine.ts';
import { setInFile } from '../../src/base/index.ts';
import type { JobView } from '../../src/server/index.ts';
import { fillHome } from '../kept-home.ts';
import { swarmHome } from '../swarm-support.ts';

/** A node that is killed and comes back at the same place. */
export interface Killable {
  readonly name: string;
  readonly machine: Machine;
  /** Where the swarm reaches it. */
  readonly address: string;
  up: boolean;
  start(): Promise<void>;
  /** kill -9 of all its processes. */
  kill(): Promise<void>;
}

export interface KillSwarm extends AsyncDisposable {
  readonly bob: Killable;
  /** Bob's key on another disk. One of the two runs at a time. */
  readonly other: Killable;
  readonly eves: readonly Killable[];
  readonly folder: string;
}

const SWARM = { 'swarm.enabled': true, 'swarm.network': 'lan', 'swarm.connectionsPerSecond': 1000 };

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function killable(name: string, home: string, peerOf?: Machine): Promise<Killable> {
  const machine = new Machine(name, home);
  if (peerOf === undefined) await machine.create();
  else {
    await cp(join(peerOf.home, 'identity'), join(home, 'identity'), { recursive: true });
    machine.peer = peerOf.peer;
  }
  const listen = `/ip4/127.0.0.1/tcp/${await freePort()}`;
  await setInFile(home, 'swarm.listen', listen);
  const own: Killable = {
    ...{ name, machine, address: `${listen}/p2p/${machine.peer}`, up: false },
    async start() {
      await machine.start({});
      own.up = true;
    },
    async kill() {
      own.up = false;
      await machine.kill();
    },
  };
  return own;
}

/** @param names of the Eves */
export async function startKillSwarm(names: readonly string[]): Promise<KillSwarm> {
  const folder = await mkdtemp(join(tmpdir(), 'kith-vault-kills-'));
  const homes: string[] = [];
  const bobHome = async (): Promise<string> => {
    const home = await mkdtemp(join(folder, 'bob-'));
    await fillHome(home);
    const own = { 'knowledge.watch': false, 'vault.autoSync': false, 'vault.checkHours': 0 };
    for (const [key, value] of Object.entries({ ...SWARM, ...own })) await setInFile(home, key, value);
    return home;
  };
  const bob = await killable('Bob', await bobHome());
  const eves = await Promise.all(
    names.map(async (name) => {
      const home = await swarmHome({
        'storage.enabled': true,
        'storage.capacityBytes': 2e9,
        'storage.tenantBytes': 5e8,
        'swarm.friends': bob.machine.peer,
      });
      homes.push(home);
      return killable(name, home);
    }),
  );
  const other = await killable('Bob elsewhere', await bobHome(), bob.machine);
  for (const { machine } of [bob, other])
    await setInFile(machine.home, 'swarm.bootstrap', eves.map(({ address }) => address).join(','));
  for (const eve of eves) await eve.start();
  await bob.start();
  return {
    ...{ bob, other, eves, folder },
    async [Symbol.asyncDispose]() {
      for (const { machine } of [bob, other, ...eves]) await machine.kill();
      for (const home of [folder, ...homes]) await rm(home, { recursive: true, force: true });
    },
  };
}

/** A refusal of a node, by its code. */
export class Refused extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

/** As its owner asks. @throws Refused; TypeError when the node is not there */
export async function ask<T>(machine: Machine, method: string, path: string, body?: unknown): Promise<T> {
  const { url, token } = JSON.parse(await readFile(join(machine.home, 'run', 'node.json'), 'utf8')) as {
    url: string;
    token: string;
  };
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const told = (await response.json()) as T & { error?: { code: string; message: string } };
  if (!response.ok) throw new Refused(String(told.error?.code), String(told.error?.message));
  return told;
}

/** The job when it is over; asks again while the node is down. */
export async function jobEnded(machine: Machine, job: JobView): Promise<JobView> {
  let now = job;
  await waitFor(`job ${job.id} of ${machine.name}`, async () => {
    now = await ask<JobView>(machine, 'GET', `/api/rag/kbs/${job.kb}/jobs/${job.id}?seen=${now.step}`).catch(
      (error: unknown) => {
        if (error instanceof Refused) throw error;
        return now;
      },
    );
    return now.state !== 'waiting' && now.state !== 'running';
  });
  return now;
}

/**
 * Whole members of a swarm on loopback: libp2p in a thread, registry, discovery, messages.
 *
 * @module test/swarm/members
 */
import { createHash } from 'node:crypto';
import { createSeededRandom, systemClock, systemRandom } from '../../src/base/index.ts';
import { createIdentity, type Identity } from '../../src/identity/index.ts';
import {
  createSwarm,
  type Discoverer,
  type Messages,
  type Offer,
  openMessages,
  Registry,
  type SwarmOptions,
  startDiscovery,
  type Views,
} from '../../src/swarm/index.ts';
import type { MemberSwarm } from './direct.ts';

export const MODEL = createHash('sha256').update('a model of tests').digest('hex');

export interface Member extends AsyncDisposable {
  readonly identity: Identity;
  readonly peer: string;
  readonly swarm: MemberSwarm;
  readonly registry: Registry;
  readonly discovery: Discoverer;
  readonly messages: Messages;
  /** Ends without a word, as a power cut would. */
  kill(): Promise<void>;
}

export const views: Views = {
  standing: () => ({ tier: 'unknown', score: 0, pledge: false }),
  latencyMs: () => null,
};

const seedOf = (number: number) => createHash('sha256').update(`member ${number} of ${process.pid}`).digest();

/** PeerId that a member of this number has. */
export const peerIdOf = (number: number): string => createIdentity(seedOf(number)).peerId;

/** `create` makes its swarm: in a thread, as in a node, unless told otherwise. */
export async function startMember(
  number: number,
  options: Partial<SwarmOptions> = {},
  create: (options: SwarmOptions) => Promise<MemberSwarm> = createSwarm,
): Promise<Member> {
  const seed = seedOf(number);
  const identity = createIdentity(seed);
  const swarm = await create({
    seed,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    network: 'lan',
    dht: 'server',
    limits: { connectionsPerSecond: 10_000, heapMb: 128 },
    ...options,
  });
  const standing = () => 0;
  const common = { clock: systemClock, random: systemRandom, signer: identity };
  const registry = new Registry({
    clock: systemClock,
    random: createSeededRandom(number),
    self: identity.peerId,
    standing,
  });
  const discovery = await startDiscovery({ ...common, network: swarm, registry, standing });
  const messages = openMessages({
    ...common,
    network: swarm,
    path: ':memory:',
    tierOf: () => 'known',
    introduce: (peer) => discovery.introduce(peer),
  });
  let ended = false;
  const kill = async () => {
    if (ended) return;
    ended = true;
    await swarm[Symbol.asyncDispose]();
    await messages.close();
    await discovery.close();
  };
  return {
    identity,
    peer: identity.peerId,
    swarm,
    registry,
    discovery,
    messages,
    kill,
    async [Symbol.asyncDispose]() {
      if (ended) return;
      await messages.close();
      await discovery.close();
      await kill();
    },
  };
}

export function offerOf(changes: Partial<Offer> = {}): Offer {
  return {
    model: { hash: MODEL, quant: 'Q8_0' },
    blocks: [[0, 24]],
    tokensPerSecond: 10,
    latencyMs: 5,
    freeCacheTokens: 4096,
    maxBatch: 8,
    protocols: ['/kith/shard/1.0.0'],
    relayed: false,
    addrs: [],
    regions: ['eu'],
    serves: ['blocks'],
    trust: [],
    state: 'online',
    ...changes,
  };
}

/** Resolves when the condition holds; it is looked at again and again, for a minute. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 60_000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`Waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

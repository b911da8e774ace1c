/**
 * A network in memory for tests: every message reaches every other subscriber that accepts it on the way, and calls go
 * straight to handlers, both as bytes. Nodes can be killed, and strangers can publish what they like.
 *
 * @module swarm/discovery/testing/bus
 */
import { type CborMap, decodeCbor, encodeCbor, KithError } from '../../../base/index.ts';
import type { GossipVerdict, IncomingCall, Method, Subscription, Swarm } from '../../types.ts';
import type { Network } from '../network.ts';

export type TestNetwork = Network & Pick<Swarm, 'onPeer'>;

interface Member {
  readonly listeners: Set<(peer: string, connected: boolean) => void>;
  readonly topics: Map<string, Subscription>;
  readonly methods: Map<string, Method>;
  readonly addresses: Map<string, readonly string[]>;
}

export interface Bus {
  /** The network as that peer sees it. */
  join(peer: string): TestNetwork;
  /** Its calls fail, it hears nothing; the others still have it as a provider. */
  kill(peer: string): void;
  /** Publishes as any peer, member or not; the verdict of each that heard it, by peer. */
  inject(from: string, topic: string, data: Uint8Array, via?: string): Promise<Map<string, GossipVerdict>>;
  /** Tells the others that this one is connected. */
  connect(peer: string): void;
  /** Addresses that a peer was told of another. */
  known(peer: string, other: string): readonly string[];
  readonly members: number;
}

export function createBus(): Bus {
  const members = new Map<string, Member>();
  const providers = new Map<string, Set<string>>();

  async function inject(from: string, topic: string, data: Uint8Array, via: string = from) {
    const verdicts = new Map<string, GossipVerdict>();
    for (const [peer, member] of members) {
      const subscription = member.topics.get(topic);
      if (peer === from || subscription === undefined) continue;
      verdicts.set(peer, await subscription.validate({ topic, from, via, data: data.slice() }));
    }
    return verdicts;
  }

  function join(peer: string): TestNetwork {
    const member: Member = {
      listeners: new Set(),
      topics: new Map(),
      methods: new Map(),
      addresses: new Map(),
    };
    members.set(peer, member);
    return {
      peer,
      async subscribe(topic, subscription) {
        if (member.topics.has(topic))
          throw new KithError('swarm_topic_taken', `${topic} is subscribed already.`);
        member.topics.set(topic, subscription);
        return {
          async [Symbol.asyncDispose]() {
            await Promise.resolve();
            member.topics.delete(topic);
          },
        };
      },
      async publish(topic, data) {
        if (members.get(peer) !== member) throw new KithError('swarm_lost', `${peer} was killed.`);
        return (await inject(peer, topic, data)).size;
      },
      async subscribers(topic) {
        return [...members]
          .filter(([other, { topics }]) => other !== peer && topics.has(topic))
          .map(([id]) => id);
      },
      async provide(key) {
        const name = Buffer.from(key).toString('hex');
        const those = providers.get(name) ?? new Set();
        providers.set(name, those.add(peer));
        return {
          async [Symbol.asyncDispose]() {
            those.delete(peer);
          },
        };
      },
      async *findProviders(key, options = {}) {
        const found = [...(providers.get(Buffer.from(key).toString('hex')) ?? [])].filter(
          (other) => other !== peer,
        );
        for (const other of found.slice(0, options.limit ?? found.length)) {
          if (options.signal?.aborted) return;
          yield { peer: other, addresses: [`/ip4/127.0.0.1/tcp/4001/p2p/${other}`] };
        }
      },
      async call(other, method, metadata = {}, payload = new Uint8Array(), options = {}) {
        if (members.get(peer) !== member) throw new KithError('swarm_lost', `${peer} was killed.`);
        const handler = members.get(other)?.methods.get(method)?.handler;
        if (handler === undefined) throw new KithError('swarm_unreachable', `${other} does not answer.`);
        const call: IncomingCall = {
          peer,
          metadata: copied(metadata),
          payload: payload.slice(),
          signal: options.signal ?? new AbortController().signal,
          deadlineMs: options.deadlineMs ?? null,
        };
        const reply = await handler(call);
        return {
          metadata: copied(reply.metadata ?? {}),
          payload: (reply.payload ?? new Uint8Array()).slice(),
        };
      },
      handle(method, what) {
        if ('handler' in what) member.methods.set(method, what);
        return { [Symbol.dispose]: () => void member.methods.delete(method) };
      },
      onPeer(listener) {
        member.listeners.add(listener);
        return { [Symbol.dispose]: () => void member.listeners.delete(listener) };
      },
      async learn(other, addresses) {
        member.addresses.set(other, addresses);
      },
    };
  }

  return {
    join,
    kill: (peer) => void members.delete(peer),
    inject,
    connect: (peer) => {
      for (const [other, { listeners }] of members)
        if (other !== peer) for (const listener of listeners) listener(peer, true);
    },
    known: (peer, other) => members.get(peer)?.addresses.get(other) ?? [],
    get members() {
      return members.size;
    },
  };
}

function copied(metadata: CborMap): CborMap {
  return decodeCbor(encodeCbor(metadata)) as CborMap;
}

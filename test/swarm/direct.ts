/**
 * A swarm without a thread of its own: the same libp2p node, gate and endpoint of calls, in the thread of whoever starts
 * it. A machine runs one node, and one thread for its swarm; forty threads on one machine would measure how V8 warms
 * forty heaps up.
 *
 * @module test/swarm/direct
 */
import { type CborMap, systemClock, systemRandom } from '../../src/base/index.ts';
import { Counters } from '../../src/swarm/gate/counters.ts';
import { Gate } from '../../src/swarm/gate/gate.ts';
import type { CallOptions, Reply, Subscription, Swarm, SwarmOptions } from '../../src/swarm/index.ts';
import { Host } from '../../src/swarm/libp2p/host.ts';
import { Endpoint } from '../../src/swarm/rpc/endpoint.ts';
import { CALL_ID_BYTES, encodeMetadata, encodeRequest } from '../../src/swarm/rpc/envelope.ts';
import { fromWireError, toWireError } from '../../src/swarm/rpc/errors.ts';
import { STREAM_LIMITS } from '../../src/swarm/rpc/framed-stream.ts';
import type { CallIn, MethodRules } from '../../src/swarm/rpc/inbound.ts';
import type { Method } from '../../src/swarm/types.ts';

/** What members of a test swarm use of a swarm. */
export type MemberSwarm = Pick<
  Swarm,
  | 'peer'
  | 'addresses'
  | 'state'
  | 'counters'
  | 'dial'
  | 'links'
  | 'onPeer'
  | 'learn'
  | 'call'
  | 'handle'
  | 'subscribe'
  | 'publish'
  | 'subscribers'
  | 'provide'
  | 'findProviders'
> &
  AsyncDisposable;

const CALL_MS = 30_000;
const WALK_MS = 20_000;

export async function createDirect(options: SwarmOptions): Promise<MemberSwarm> {
  const counters = new Counters();
  const methods = new Map<string, { method: Method; rules: MethodRules }>();
  const topics = new Map<string, Subscription>();
  const listeners = new Set<(peer: string, connected: boolean) => void>();
  let host: Host | undefined;
  let open = true;
  const gate = new Gate({}, systemClock, counters, {
    misbehaved: (peer, kind) => options.onMisbehaviour?.(peer, kind),
    cut: (peer) => setImmediate(() => host?.cut(peer)),
  });
  const answer = async (method: Method, { metadata, payload, peer, deadlineMs }: CallIn) => {
    const { signal } = new AbortController();
    const reply = await method.handler({ peer, metadata, payload, signal, deadlineMs });
    return {
      ...(reply.metadata !== undefined && { metadata: encodeMetadata(reply.metadata) }),
      ...(reply.payload !== undefined && { payload: reply.payload }),
    };
  };
  const endpoint = new Endpoint({
    gate,
    counters,
    limits: STREAM_LIMITS,
    clock: systemClock,
    openStream: (peer, signal) => host!.openStream(peer, signal),
    acceptor: {
      method: (name) => methods.get(name)?.rules,
      onCall: (call, done) => {
        answer(methods.get(call.method)!.method, call).then(done, (error) =>
          done({ error: toWireError(error) }),
        );
        return () => {};
      },
      onSession: () => {
        throw new TypeError('No test opens a session here.');
      },
    },
  });
  const sweeping = setInterval(() => endpoint.sweep(), 15_000).unref();
  host = await Host.start(options, gate, counters, {
    stream: (stream, peer) => endpoint.accept(stream, peer),
    admit: async () => true,
    trusts: async () => false,
    better: (peer) => endpoint.retire(peer),
    peer: (peer, connected) => {
      for (const listener of listeners) listener(peer, connected);
    },
    addresses: () => {},
    gossip: async (message) => (await topics.get(message.topic)?.validate(message)) ?? 'ignore',
  });
  const node = host;
  return {
    peer: node.peer,
    get addresses() {
      return node.addresses();
    },
    get state() {
      return open ? 'running' : 'closed';
    },
    counters: () => counters.read(),
    dial: (target, { deadlineMs = CALL_MS } = {}) => node.dial(target, AbortSignal.timeout(deadlineMs)),
    links: async () => node.links(),
    onPeer(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    learn: (peer, addresses) => node.learn(peer, addresses),
    call: (peer, method, metadata = {}, payload, given = {}) =>
      call(endpoint, peer, method, metadata, payload, given),
    handle(name, what) {
      if (!('handler' in what)) throw new TypeError('No test opens a session here.');
      const {
        maxPayloadBytes = 1024 * 1024,
        maxMetadataBytes = 16_384,
        maxConcurrent = 16,
      } = what.caps ?? {};
      methods.set(name, {
        method: what,
        rules: { session: false, maxPayloadBytes, maxMetadataBytes, maxConcurrent },
      });
      return { [Symbol.dispose]: () => void methods.delete(name) };
    },
    async subscribe(topic, subscription) {
      topics.set(topic, subscription);
      node.subscribe(topic, { maxBytes: 16_384, maxPerSecond: 50, ...subscription });
      return {
        async [Symbol.asyncDispose]() {
          topics.delete(topic);
          if (open) node.unsubscribe(topic);
        },
      };
    },
    publish: (topic, data) => node.publish(topic, data),
    subscribers: async (topic) => node.subscribers(topic),
    async provide(key, { signal } = {}) {
      const walk = AbortSignal.timeout(60_000);
      await node.provide(key, signal === undefined ? walk : AbortSignal.any([signal, walk]));
      return { [Symbol.asyncDispose]: async () => void (open && (await node.unprovide(key))) };
    },
    async *findProviders(key, { signal, limit = 64, deadlineMs = WALK_MS } = {}) {
      const walk = AbortSignal.timeout(deadlineMs);
      yield* node.findProviders(key, limit, signal === undefined ? walk : AbortSignal.any([signal, walk]));
    },
    async [Symbol.asyncDispose]() {
      if (!open) return;
      open = false;
      clearInterval(sweeping);
      await node.stop();
    },
  };
}

function call(
  endpoint: Endpoint,
  peer: string,
  method: string,
  metadata: CborMap,
  payload: Uint8Array | undefined,
  { signal, deadlineMs = CALL_MS, maxReplyBytes = 64 * 1024 * 1024 }: CallOptions,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const patience = AbortSignal.timeout(deadlineMs);
    const ending = signal === undefined ? patience : AbortSignal.any([signal, patience]);
    let cancel = () => {};
    ending.addEventListener('abort', () => {
      cancel();
      reject(new Error('The call was given up.', { cause: ending.reason }));
    });
    void endpoint.call(
      peer,
      {
        envelope: encodeRequest(method, systemRandom.bytes(CALL_ID_BYTES), metadata),
        payload,
        deadlineMs,
        maxReplyBytes,
        done: (head, body) => resolve({ metadata: head, payload: body }),
        failed: (error) => reject(fromWireError(error, peer)),
      },
      ending,
      (stop) => {
        cancel = stop;
      },
    );
  });
}

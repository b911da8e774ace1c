/**
 * The swarm thread: the libp2p node, the endpoint of calls, and the port to the node thread.
 *
 * @module swarm/thread/swarm-thread
 */
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../base/index.ts';
import { Counters } from '../gate/counters.ts';
import { Gate } from '../gate/gate.ts';
import { Ledger, sharedMonotonic } from '../gate/ledger.ts';
import { Host } from '../libp2p/host.ts';
import { Endpoint } from '../rpc/endpoint.ts';
import { type WireError, wayErrors } from '../rpc/errors.ts';
import type { Answer, MethodRules } from '../rpc/inbound.ts';
import type { SessionEnd, SessionEvents } from '../rpc/session-end.ts';
import type { GossipVerdict } from '../types.ts';
import { movable, type Operations, type ThreadSettings, type ToNode, type ToSwarm } from './messages.ts';

const port = parentPort!;
const settings = workerData as ThreadSettings;
const SWEEP_MS = 15_000;
const GOSSIP_MS = 5000;
const ADMIT_MS = 5000;
const FOREIGN_MS = 15_000;

const post = (message: ToNode, move: ArrayBuffer[] = []) => port.postMessage(message, move);

const counters = new Counters(settings.counters);
const methods = new Map<string, MethodRules>();
const answers = new Map<number, (answer: Answer) => void>();
const aborts = new Map<number, () => void>();
const asked = new Map<number, (value: never) => void>();
const sessions = new Map<number, { end: SessionEnd; accept: () => void }>();
let host: Host | undefined;
let nextOdd = 1;
const odd = () => {
  nextOdd += 2;
  return nextOdd;
};

/** A question to the node thread, with the answer to give when none comes in time. */
function ask<T>(send: (n: number) => void, ms: number, otherwise: T): Promise<T> {
  return new Promise((resolve) => {
    const n = odd();
    const timer = setTimeout(() => {
      asked.delete(n);
      resolve(otherwise);
    }, ms);
    asked.set(n, (value: T) => {
      clearTimeout(timer);
      asked.delete(n);
      resolve(value);
    });
    send(n);
  });
}

const gate = new Gate(
  settings.gate,
  { now: () => systemClock.now(), monotonic: sharedMonotonic },
  counters,
  {
    misbehaved: (peer, kind, banned) => post({ k: 'misbehaved', peer, kind, banned }),
    cut: (peer) => {
      post({ k: 'cut', peer });
      // Not within the event that led to it: the stream is still at work there.
      setImmediate(() => host?.cut(peer));
    },
  },
  new Ledger(settings.ledger),
);

function eventsOf(s: number): SessionEvents {
  return {
    message: (metadata, payload, cost) =>
      post({ k: 'message', s, metadata, payload, cost }, movable(payload)),
    sent: (bytes) => post({ k: 'sent', s, bytes }),
    ended: () => post({ k: 'ended', s }),
    over: (error) => {
      sessions.delete(s);
      post({ k: 'over', s, error });
    },
  };
}

const endpoint = new Endpoint({
  gate,
  counters,
  limits: settings.streams,
  clock: systemClock,
  openStream: (peer, signal) => host!.openStream(peer, signal),
  acceptor: {
    method: (name) => methods.get(name),
    onCall: (call, answer) => {
      const n = odd();
      answers.set(n, answer);
      post({ k: 'request', n, ...call }, movable(call.payload));
      return () => post({ k: 'gone', n });
    },
    onSession: (open, end, decide) => {
      const s = odd();
      sessions.set(s, { end, accept: decide.accept });
      post({ k: 'session', s, ...open });
      return eventsOf(s);
    },
  },
});

function startCall(message: Extract<ToSwarm, { k: 'call' }>): void {
  const { n } = message;
  const way = new AbortController();
  let cancel = () => {};
  aborts.set(n, () => {
    aborts.delete(n);
    way.abort();
    cancel();
  });
  const call = {
    envelope: message.envelope,
    payload: message.payload,
    deadlineMs: message.deadlineMs,
    maxReplyBytes: message.maxReplyBytes,
    done: (metadata: Extract<ToNode, { k: 'reply' }>['metadata'], payload: Uint8Array) => {
      if (aborts.delete(n)) post({ k: 'reply', n, metadata, payload }, movable(payload));
    },
    failed: (error: WireError) => {
      if (aborts.delete(n)) post({ k: 'failed', n, error });
    },
  };
  void endpoint.call(message.peer, call, way.signal, (stop) => {
    cancel = stop;
  });
}

async function openSession({
  s,
  peer,
  envelope,
  caps,
  openMs,
}: Extract<ToSwarm, { k: 'open' }>): Promise<void> {
  const way = new AbortController();
  const timer = setTimeout(() => way.abort(new Error('The session did not open in time.')), openMs);
  const events = eventsOf(s);
  const early: { over: boolean } = { over: false };
  aborts.set(s, () => way.abort(new Error('The opening was given up.')));
  const done = () => {
    clearTimeout(timer);
    aborts.delete(s);
  };
  const end = await endpoint.openSession(peer, envelope, caps, way.signal, {
    ...events,
    opened: () => {
      done();
      post({ k: 'opened', s });
    },
    over: (error) => {
      early.over = true;
      done();
      events.over(error);
    },
  });
  if ('code' in end) {
    done();
    events.over(end);
  } else if (!early.over) {
    sessions.set(s, { end, accept: () => {} });
    // From here on giving up means to cancel what was sent.
    if (way.signal.aborted) end.cancel();
    else way.signal.addEventListener('abort', () => end.cancel(), { once: true });
  }
}

const operations: {
  [Name in keyof Operations]: (
    signal: AbortSignal,
    n: number,
    ...args: Parameters<Operations[Name]>
  ) => ReturnType<Operations[Name]> | Promise<ReturnType<Operations[Name]>>;
} = {
  dial: (signal, _n, target, ms) => host!.dial(target, AbortSignal.any([signal, AbortSignal.timeout(ms)])),
  async learn(_signal, _n, peer, addresses) {
    await host!.learn(peer, addresses);
    return null;
  },
  async disconnect(_signal, _n, peer) {
    await host!.disconnect(peer);
    return null;
  },
  links: () => host!.links(),
  async lane(signal, _n, peer, asking) {
    const path = await host!.lanePath(peer, asking, signal);
    return path === null || gate.banned(peer) ? null : { ...path, place: gate.pin(peer) };
  },
  nat: () => host!.nat(),
  ping: (signal, _n, peer, ms) => endpoint.ping(peer, AbortSignal.any([signal, AbortSignal.timeout(ms)])),
  subscribe(_signal, _n, topic, limits) {
    host!.subscribe(topic, limits);
    return null;
  },
  unsubscribe(_signal, _n, topic) {
    host!.unsubscribe(topic);
    return null;
  },
  publish: (_signal, _n, topic, data) => host!.publish(topic, data),
  subscribers: (_signal, _n, topic) => host!.subscribers(topic),
  async provide(signal, _n, key) {
    await host!.provide(key, AbortSignal.any([signal, AbortSignal.timeout(60_000)]));
    return null;
  },
  async unprovide(_signal, _n, key) {
    await host!.unprovide(key);
    return null;
  },
  async findProviders(signal, n, key, limit, ms) {
    const all = AbortSignal.any([signal, AbortSignal.timeout(ms)]);
    try {
      for await (const provider of host!.findProviders(key, limit, all)) post({ k: 'provider', n, provider });
    } catch (error) {
      // Time is up: what was found is the answer.
      if (!all.aborted) throw error;
    }
    return null;
  },
  askForeign: (signal, _n, ask, ms) =>
    host!.foreign.ask(ask, AbortSignal.any([signal, AbortSignal.timeout(ms)])),
  async handleForeign(_signal, _n, protocol, rules) {
    await host!.foreign.handle(protocol, rules, (peer, data) =>
      ask<Uint8Array | null>(
        (n) => post({ k: 'foreign', n, protocol, peer, data }, movable(data)),
        FOREIGN_MS,
        null,
      ),
    );
    return null;
  },
  async unhandleForeign(_signal, _n, protocol) {
    await host!.foreign.unhandle(protocol);
    return null;
  },
  addressesOf: (_signal, _n, peers) => host!.foreign.addressesOf(peers),
  ban(_signal, _n, peer, until) {
    gate.ban(peer, until);
    return null;
  },
  unban(_signal, _n, peer) {
    gate.unban(peer);
    return null;
  },
  async close() {
    await host?.stop();
    return null;
  },
};

async function operate({ n, op, args }: Extract<ToSwarm, { k: 'do' }>): Promise<void> {
  const controller = new AbortController();
  aborts.set(n, () => controller.abort());
  try {
    const run = operations[op] as (signal: AbortSignal, n: number, ...args: readonly unknown[]) => unknown;
    post({ k: 'done', n, value: await run(controller.signal, n, ...args) });
  } catch (error) {
    post({ k: 'failed', n, error: wayErrors.unreachable((error as Error).message) });
  } finally {
    aborts.delete(n);
  }
}

function onMessage(message: ToSwarm): void {
  switch (message.k) {
    case 'call':
      startCall(message);
      return;
    case 'open':
      void openSession(message);
      return;
    case 'abort':
      aborts.get(message.n)?.();
      return;
    case 'answer':
      answers.get(message.n)?.(message);
      answers.delete(message.n);
      return;
    case 'accept':
      sessions.get(message.s)?.accept();
      return;
    case 'send':
      sessions.get(message.s)?.end.send(message.metadata, message.payload);
      return;
    case 'consumed':
      sessions.get(message.s)?.end.consumed(message.bytes);
      return;
    case 'end':
      sessions.get(message.s)?.end.end();
      return;
    case 'cancel':
      sessions.get(message.s)?.end.cancel(message.error);
      return;
    case 'method':
      if (message.rules === null) methods.delete(message.name);
      else methods.set(message.name, message.rules);
      return;
    case 'do':
      void operate(message);
      return;
    case 'strike':
      gate.strike(message.peer, message.kind);
      return;
    case 'unpin':
      for (let pins = message.pins; pins > 0; pins--) gate.unpin(message.peer);
      return;
    case 'verdict':
      asked.get(message.n)?.(message.verdict as never);
      return;
    case 'foreign':
      asked.get(message.n)?.(message.data as never);
      return;
    case 'admitted':
      asked.get(message.n)?.(message.admitted as never);
      return;
  }
}

port.on('message', onMessage);
// A promise that fails with nobody waiting, as within a library, is no reason to lose all links.
process.on('unhandledRejection', (reason) => post({ k: 'fault', message: String(reason).slice(0, 300) }));
setInterval(() => endpoint.sweep(), SWEEP_MS).unref();

try {
  host = await Host.start(settings.node, gate, counters, {
    stream: (channel, peer) => endpoint.accept(channel, peer),
    admit: (peer) => ask<boolean>((n) => post({ k: 'admit', n, peer }), ADMIT_MS, false),
    trusts: (peer, tier) => ask<boolean>((n) => post({ k: 'admit', n, peer, tier }), ADMIT_MS, false),
    better: (peer) => endpoint.retire(peer),
    peer: (peer, connected) => post({ k: 'peer', peer, connected }),
    addresses: (addresses) => post({ k: 'addresses', addresses }),
    gossip: ({ topic, from, via, data }) =>
      ask<GossipVerdict>(
        (n) => post({ k: 'gossip', n, topic, from, via, data }, movable(data)),
        GOSSIP_MS,
        'ignore',
      ),
  });
  post({ k: 'ready', peer: host.peer, addresses: host.addresses() });
} catch (error) {
  post({ k: 'unable', message: (error as Error).message });
}

/**
 * Kith's side of the tests: swarms on loopback with the methods that peers call.
 *
 * @module interop/kith
 */
import { createHash, randomBytes } from 'node:crypto';
import { KithError } from '../src/base/index.ts';
import { createSwarm, type Misbehaviour, type Swarm, type SwarmOptions } from '../src/swarm/index.ts';

export const PAYLOADS = [0, 16 * 1024, 1024 * 1024] as const;

/** The bytes that all programs of these tests agree on. */
export function pattern(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, at) => at * 31 + (at >> 8));
}

export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Metadata with every kind of value that JSON has. */
export const METADATA = {
  text: 'grüße',
  list: [1, -2, 3.5, null, true],
  map: { zz: 1, a: { deep: [] } },
  large: 2 ** 52,
};

export interface Kith extends AsyncDisposable {
  readonly swarm: Swarm;
  readonly address: string;
  /** Calls that ran, by method. */
  readonly ran: Map<string, number>;
  readonly misbehaviours: { readonly peer: string; readonly kind: Misbehaviour }[];
  /** Resolves when a call to `interop/wait` was cancelled. */
  readonly cancelled: Promise<void>;
}

export async function startKith(options: Partial<SwarmOptions> = {}): Promise<Kith> {
  const misbehaviours: Kith['misbehaviours'] = [];
  const ran = new Map<string, number>();
  const swarm = await createSwarm({
    seed: randomBytes(32),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    network: 'lan',
    dht: 'server',
    limits: { connectionsPerSecond: 1000, heapMb: 128 },
    onMisbehaviour: (peer, kind) => misbehaviours.push({ peer, kind }),
    ...options,
  });
  const { promise: cancelled, resolve } = Promise.withResolvers<void>();
  const count = (method: string) => ran.set(method, (ran.get(method) ?? 0) + 1);
  swarm.handle('interop/reverse', {
    caps: { maxPayloadBytes: 2 * 1024 * 1024 },
    handler({ metadata, payload, deadlineMs }) {
      count('interop/reverse');
      const bytes = payload.length;
      return { metadata: { ...metadata, bytes, deadline: deadlineMs !== null }, payload: payload.reverse() };
    },
  });
  swarm.handle('interop/refuse', {
    handler() {
      throw new KithError('interop_refused', 'Refused, as asked for.', { status: 429, retryAfter: 7 });
    },
  });
  swarm.handle('interop/wait', {
    handler: ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          resolve();
          reject(signal.reason);
        });
      }),
  });
  swarm.handle('interop/mirror', {
    async session(session) {
      for await (const { metadata, payload } of session) await session.send(metadata, payload);
    },
  });
  return {
    swarm,
    address: swarm.addresses[0]!,
    ran,
    misbehaviours,
    cancelled,
    [Symbol.asyncDispose]: () => swarm[Symbol.asyncDispose](),
  };
}

/** Resolves when the condition holds; looked at again and again, for a minute: machines that run tests are busy. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 60_000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`Waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * One node of the lab: a swarm that does what lines of JSON on its standard input say and answers on its standard output.
 *
 * @module test/nat/node
 */
import { createInterface } from 'node:readline';
import { isKithError } from '../../src/base/index.ts';
import { createSwarm, type PeerLink, type Session, type SwarmOptions } from '../../src/swarm/index.ts';

export interface NodeInit {
  /** Each byte of the seed. */
  readonly seed: number;
  readonly options: Omit<SwarmOptions, 'seed' | 'gate'>;
  /** PeerIds with the tier `trusted`. */
  readonly trusted?: readonly string[];
}

export interface Timing {
  /** Median, ms. */
  readonly p50: number;
  readonly min: number;
  readonly max: number;
  readonly path: PeerLink['path'] | 'none';
}

const init = JSON.parse(process.argv[2]!) as NodeInit;
const swarm = await createSwarm({
  seed: new Uint8Array(32).fill(init.seed),
  ...init.options,
  gate: { tierOf: (peer) => (init.trusted?.includes(peer) ? 'trusted' : 'unknown') },
});
const MAX = 8 * 1024 * 1024;
swarm.handle('echo', {
  caps: { maxPayloadBytes: MAX },
  handler: ({ payload }) => ({ payload }),
});
swarm.handle('echo-session', {
  caps: { maxPayloadBytes: MAX },
  async session(session) {
    for await (const { metadata, payload } of session) await session.send(metadata, payload);
  },
});
let session: Session | undefined;

const ORDER = ['lan', 'tcp', 'webrtc', 'relay'];
async function bestPath(peer: string): Promise<Timing['path']> {
  const paths = (await swarm.links()).filter((link) => link.peer === peer).map(({ path }) => path);
  return (ORDER.find((path) => paths.includes(path as PeerLink['path'])) as Timing['path']) ?? 'none';
}

async function timed(peer: string, times: number, once: (i: number) => Promise<void>): Promise<Timing> {
  const all: number[] = [];
  for (let i = 0; i < times; i++) {
    const begin = performance.now();
    await once(i);
    all.push(performance.now() - begin);
  }
  all.sort((a, b) => a - b);
  return { p50: all[times >> 1]!, min: all[0]!, max: all.at(-1)!, path: await bestPath(peer) };
}

function filled(bytes: number, i: number): Uint8Array {
  return new Uint8Array(bytes).fill(i + 1);
}

function check(payload: Uint8Array, bytes: number, i: number): void {
  if (payload.length !== bytes || payload[0] !== i + 1 || payload.at(-1) !== i + 1)
    throw new Error(`An echo came back as something else: ${payload.length} bytes.`);
}

const commands = {
  info: () => ({ peer: swarm.peer, addresses: swarm.addresses }),
  learn: (peer: string, addresses: readonly string[]) => swarm.learn(peer, addresses),
  async dial(target: string) {
    const begin = performance.now();
    const link = await swarm.dial(target);
    return { link, ms: performance.now() - begin };
  },
  links: () => swarm.links(),
  nat: () => swarm.nat(),
  /** Waits until a link to the peer goes that way. */
  async path(peer: string, path: string, ms: number) {
    const begin = performance.now();
    for (;;) {
      if ((await swarm.links()).some((link) => link.peer === peer && link.path === path))
        return performance.now() - begin;
      if (performance.now() - begin > ms) throw new Error(`No link over ${path} came within ${ms} ms.`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  },
  /** Waits until the peer has links over this way alone. */
  async only(peer: string, path: string, ms: number) {
    const begin = performance.now();
    for (;;) {
      const paths = (await swarm.links()).filter((link) => link.peer === peer).map((link) => link.path);
      if (paths.length > 0 && paths.every((one) => one === path)) return performance.now() - begin;
      if (performance.now() - begin > ms) throw new Error(`Beside ${path}: ${paths.join(', ')}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  },
  /** Waits for an address that begins so. */
  async address(start: string, ms: number) {
    const begin = performance.now();
    while (!swarm.addresses.some((one) => one.startsWith(start))) {
      if (performance.now() - begin > ms) throw new Error(`No ${start}: ${swarm.addresses.join(' ')}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return performance.now() - begin;
  },
  /** Waits until somebody, who is not dialled from here by name, is connected. */
  async found(peer: string, ms: number) {
    const begin = performance.now();
    for (;;) {
      const link = (await swarm.links()).find((one) => one.peer === peer);
      if (link !== undefined) return { link, ms: performance.now() - begin };
      if (performance.now() - begin > ms) throw new Error(`${peer} was not found within ${ms} ms.`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  },
  /** Waits until the node's own address is known. */
  async seen(ms: number) {
    const begin = performance.now();
    for (;;) {
      const report = await swarm.nat();
      if (report.address !== null || performance.now() - begin > ms) return report;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  },
  async close() {
    await swarm[Symbol.asyncDispose]();
    return null;
  },
  /** Waits for addresses over so many relays. */
  async reserved(count: number, ms: number) {
    const begin = performance.now();
    while (swarm.addresses.filter((one) => /\/p2p-circuit\/p2p\//.test(one)).length < count) {
      if (performance.now() - begin > ms) throw new Error(`Reserved: ${swarm.addresses.join(' ')}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return performance.now() - begin;
  },
  call: (peer: string, bytes: number, times: number) =>
    timed(peer, times, async (i) => {
      const { payload } = await swarm.call(peer, 'echo', {}, filled(bytes, i), { maxReplyBytes: MAX });
      check(payload, bytes, i);
    }),
  async open(peer: string) {
    session = await swarm.openSession(peer, 'echo-session', {}, { caps: { maxPayloadBytes: MAX } });
    return null;
  },
  steps: (bytes: number, times: number) =>
    timed(session!.peer, times, async (i) => {
      await session!.send({}, filled(bytes, i));
      const message = await session!.receive({ signal: AbortSignal.timeout(30_000) });
      if (message === null) throw new Error('The session ended.');
      check(message.payload, bytes, i);
    }),
} as const;

export type Commands = typeof commands;

const print = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);
print({ ready: commands.info() });
for await (const line of createInterface({ input: process.stdin })) {
  const { id, name, args } = JSON.parse(line) as { id: number; name: keyof Commands; args: never[] };
  void (async () => {
    try {
      print({ id, value: await (commands[name] as (...args: never[]) => unknown)(...args) });
    } catch (error) {
      print({ id, error: (error as Error).message, code: isKithError(error) ? error.code : null });
    }
  })();
}
process.exit(0);

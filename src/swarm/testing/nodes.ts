/**
 * Swarms and bare libp2p peers on loopback, for tests.
 *
 * @module swarm/testing/nodes
 */
import type { Connection, Stream } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { CALL_PROTOCOL, type FrameHeader } from '../frames/format.ts';
import { Framer } from '../frames/framer.ts';
import { createSwarm } from '../host.ts';
import { createNode, type Node, type NodeSettings } from '../libp2p/config.ts';
import type { StreamLimits } from '../rpc/framed-stream.ts';
import type { Swarm, SwarmOptions } from '../types.ts';

/** A LAN on loopback, where all come from one address. */
export const LOOPBACK = {
  listen: ['/ip4/127.0.0.1/tcp/0'],
  network: 'lan',
  limits: { connectionsPerSecond: 10_000 },
} as const;

export const seedOf = (number: number) => new Uint8Array(32).fill(number);

export function swarmOnLoopback(
  number: number,
  options: Partial<SwarmOptions> = {},
  streams: Partial<StreamLimits> = {},
): Promise<Swarm> {
  return createSwarm({ ...LOOPBACK, seed: seedOf(number), ...options }, streams);
}

/** Resolves when the condition holds; it is looked at again and again, for a minute: machines that run tests are busy. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 60_000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`Waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A peer that is no Kith: libp2p in this thread, which speaks whatever bytes a test wants. */
export class BarePeer implements AsyncDisposable {
  readonly node: Node;

  private constructor(node: Node) {
    this.node = node;
  }

  static async start(number: number, settings: Partial<NodeSettings> = {}): Promise<BarePeer> {
    const node = await createNode(
      { ...LOOPBACK, seed: seedOf(number), dht: 'off', ...settings },
      { denyDialMultiaddr: () => false },
    );
    return new BarePeer(node);
  }

  get peer(): string {
    return this.node.peerId.toString();
  }

  connect(swarm: Swarm): Promise<Connection> {
    return this.node.dial(multiaddr(swarm.addresses[0]!), { signal: AbortSignal.timeout(30_000) });
  }

  async open(swarm: Swarm): Promise<BareStream> {
    const connection = await this.connect(swarm);
    return new BareStream(
      await connection.newStream(CALL_PROTOCOL, { maxOutboundStreams: 10_000, runOnLimitedConnection: true }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.node.stop();
  }
}

/** A stream of the call protocol in the hands of a test. */
export class BareStream {
  readonly stream: Stream;
  readonly frames: {
    readonly header: FrameHeader;
    readonly metadata: Uint8Array;
    readonly payload: Uint8Array;
  }[] = [];
  closed = false;

  constructor(stream: Stream) {
    this.stream = stream;
    const framer = new Framer({
      onHead: () => 'take',
      onFrame: (header, metadata, payload) => this.frames.push({ header, metadata, payload }),
    });
    stream.addEventListener('message', ({ data }) => {
      for (const chunk of data instanceof Uint8Array ? [data] : data) framer.push(chunk);
    });
    stream.addEventListener('close', () => {
      this.closed = true;
    });
  }

  /** Sends, whatever the stream says of it. */
  send(...pieces: Uint8Array[]): void {
    for (const piece of pieces)
      try {
        this.stream.send(piece);
      } catch {
        // Cut already: what the test looks at.
      }
  }
}

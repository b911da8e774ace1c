/**
 * The nodes of one scenario on a lab of their own.
 *
 * @module test/nat/world
 */
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { type Home, Lab, type NatKind, type Server } from './lab.ts';
import type { NodeInit } from './node.ts';
import { NodeProcess } from './process.ts';

export const RELAYS = [1, 2] as const;
export const A = 11;
export const B = 12;

async function peerOf(seed: number): Promise<string> {
  const key = await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(seed));
  return peerIdFromPrivateKey(key).toString();
}

export class World implements AsyncDisposable {
  readonly lab: Lab;
  readonly relays: Server[] = [];
  readonly relayNodes: NodeProcess[] = [];
  readonly #nodes: NodeProcess[] = [];

  constructor(name: string) {
    this.lab = new Lab(`kith-${name}`);
  }

  /** Two relays; peers that they trust have no limits. */
  async startRelays(trusted: readonly number[]): Promise<void> {
    for (const number of RELAYS) {
      const server = this.lab.server(`relay${number}`, number);
      this.relays.push(server);
      const node = await NodeProcess.start(server.space, {
        seed: number,
        options: {
          listen: ['/ip4/0.0.0.0/tcp/4001'],
          announce: [`/ip4/${server.address}/tcp/4001`],
          relay: { serve: { unlimitedTier: 'verified' } },
        },
        trusted: await Promise.all(trusted.map(peerOf)),
      });
      this.#nodes.push(node);
      this.relayNodes.push(node);
    }
  }

  async startHost({ space }: Home, seed: number): Promise<NodeProcess> {
    const relays = this.relays.map(
      ({ address }, i) => `/ip4/${address}/tcp/4001/p2p/${this.relayNodes[i]!.peer}`,
    );
    const node = await NodeProcess.start(space, {
      seed,
      options: { listen: ['/ip4/0.0.0.0/tcp/4001'], relay: { use: relays }, webrtc: {} },
    });
    this.#nodes.push(node);
    await node.do('reserved', relays.length, 30_000);
    return node;
  }

  async start(space: string, seed: number, options: NodeInit['options']): Promise<NodeProcess> {
    const node = await NodeProcess.start(space, { seed, options });
    this.#nodes.push(node);
    return node;
  }

  async pair(a: NatKind, b: NatKind): Promise<[NodeProcess, NodeProcess]> {
    const first = await this.startHost(this.lab.home('a', 1, a), A);
    const second = await this.startHost(this.lab.home('b', 2, b), B);
    return [first, second];
  }

  /** The address of a host over one relay. */
  over(relay: number, host: NodeProcess): string {
    const { address } = this.relays[relay]!;
    return `/ip4/${address}/tcp/4001/p2p/${this.relayNodes[relay]!.peer}/p2p-circuit/p2p/${host.peer}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.kill()));
    this.lab.close();
  }
}

export const settled = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

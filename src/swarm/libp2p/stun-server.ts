/**
 * The STUN server of a relay: tells nodes their address as the world sees it. Two ports, so that a node can tell a NAT that
 * gives every destination another port. Bounded: an answer has at most 68 bytes, and their number has a limit for each
 * address and for all, so that forged sources cannot make much of it.
 *
 * @module swarm/libp2p/stun-server
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIP } from 'node:net';
import { TokenBucket } from '../gate/bucket.ts';
import { answerBinding, type Endpoint, parseBindingRequest } from './stun.ts';

const PER_SECOND = 2000;
const PER_ADDRESS = 20;
const ADDRESS_BURST = 100;
const MAX_ADDRESSES = 4096;

export class StunServer implements AsyncDisposable {
  /** Where it answers; the first is the one to ask. */
  readonly endpoints: readonly Endpoint[];
  readonly #sockets: readonly Socket[];
  readonly #all = new TokenBucket(PER_SECOND, PER_SECOND, performance.now());
  readonly #each = new Map<string, TokenBucket>();

  private constructor(sockets: readonly Socket[]) {
    this.#sockets = sockets;
    this.endpoints = sockets.map((socket) => {
      const { address, port } = socket.address();
      return { host: address, port };
    });
    sockets.forEach((socket, i) => {
      const other = sockets.length < 2 ? null : this.endpoints[1 - i]!;
      socket.on('message', (bytes, from) => this.#answer(socket, bytes, from.address, from.port, other));
      // A broken send is one lost answer.
      socket.on('error', () => {});
    });
  }

  /**
   * Listens on `port` and the one after it (on two free ones for 0); on the first alone where the second is taken. Rejects
   * when it cannot have the first.
   */
  static async listen(host: string, port: number): Promise<StunServer> {
    const first = await bound(host, port);
    try {
      return new StunServer([first, await bound(host, port === 0 ? 0 : port + 1)]);
    } catch {
      return new StunServer([first]);
    }
  }

  #answer(socket: Socket, bytes: Uint8Array, host: string, port: number, other: Endpoint | null): void {
    const request = parseBindingRequest(bytes);
    if (request === null || port === 0) return;
    const now = performance.now();
    let bucket = this.#each.get(host);
    if (bucket === undefined) {
      bucket = new TokenBucket(PER_ADDRESS, ADDRESS_BURST, now);
      this.#each.set(host, bucket);
      if (this.#each.size > MAX_ADDRESSES) this.#each.delete(this.#each.keys().next().value!);
    }
    if (!bucket.take(1, now) || !this.#all.take(1, now)) return;
    const source = host.startsWith('::ffff:') ? host.slice(7) : host;
    socket.send(answerBinding(request, { host: source.split('%')[0]!, port }, other), port, host, () => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#sockets.map((socket) => new Promise<void>((done) => socket.close(() => done()))));
  }
}

async function bound(host: string, port: number): Promise<Socket> {
  const six = isIP(host) === 6;
  const socket = createSocket({ type: six ? 'udp6' : 'udp4', ...(six && { ipv6Only: true }) });
  socket.bind(port, host);
  try {
    await once(socket, 'listening');
  } catch (error) {
    socket.close();
    throw error;
  }
  return socket;
}

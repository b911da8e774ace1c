/**
 * Where peers connect that were given a ticket. It listens only while a ticket is out, hears only the addresses of peers that
 * have one, and does no cryptography before it has seen a ticket.
 *
 * @module swarm/lane/listener
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Random } from '../../base/index.ts';
import { TokenBucket } from '../gate/bucket.ts';
import { plainAddress } from '../libp2p/addresses.ts';
import { HELLO_BYTES, readHello, refused, TICKET_BYTES, TICKET_MS, ticketName } from './agreement.ts';
import type { LaneIdentity } from './certificate.ts';
import { HANDSHAKE_MS, secureAccepted } from './secure.ts';

/** Connections whose lane does not stand yet: in all, and from one address. */
const MAX_PENDING = 32;
const MAX_PENDING_ADDRESS = 16;
const MAX_TICKETS = 128;
/** Connections a second from addresses that have a ticket. */
const PER_SECOND = 100;

export interface Expected {
  readonly peer: string;
  /** IP addresses from which the peer may come. */
  readonly addresses: readonly string[];
  readonly fingerprint: Uint8Array;
  /** The lane stands. */
  arrived(socket: TLSSocket): void;
  /** It never will. */
  missed(): void;
}

interface Ticket extends Expected {
  readonly host: string;
  readonly timer: NodeJS.Timeout;
}

export interface ListenerOptions {
  identity(): LaneIdentity;
  /** 0 for any free one. */
  readonly port: number;
  readonly random: Pick<Random, 'bytes'>;
  /** Ms on a clock that never goes back. */
  now(): number;
  /** Somebody came who was not let in. */
  refusedOne(): void;
}

export class LaneListener {
  readonly #options: ListenerOptions;
  readonly #tickets = new Map<string, Ticket>();
  readonly #servers = new Map<string, Promise<Server>>();
  readonly #pending = new Map<Socket, { readonly address: string; peer: string | null }>();
  readonly #rate: TokenBucket;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#rate = new TokenBucket(PER_SECOND, PER_SECOND, options.now());
  }

  /** Tickets that are out, and connections on their way. */
  expected(peer: string): number {
    let count = 0;
    for (const ticket of this.#tickets.values()) if (ticket.peer === peer) count++;
    for (const pending of this.#pending.values()) if (pending.peer === peer) count++;
    return count;
  }

  /** Listens on the address of this machine for one lane. @throws {KithError} `swarm_lane_refused` */
  async expect(host: string, expected: Expected): Promise<{ port: number; ticket: Uint8Array }> {
    if (this.#tickets.size >= MAX_TICKETS) throw refused('too many are being opened');
    const ticket = this.#options.random.bytes(TICKET_BYTES);
    const name = ticketName(ticket);
    const timer = setTimeout(() => this.#miss(name), TICKET_MS);
    timer.unref();
    // Before it listens, so that nobody closes the server meanwhile.
    this.#tickets.set(name, { ...expected, host, timer });
    try {
      const server = await this.#server(host);
      const { port } = server.address() as { port: number };
      return { port, ticket };
    } catch (error) {
      this.#drop(name);
      throw refused(`its port cannot be listened on (${(error as Error).message})`);
    }
  }

  /** Takes back what the peer was given. */
  forget(peer: string): void {
    for (const [name, ticket] of this.#tickets) if (ticket.peer === peer) this.#miss(name);
    for (const [socket, pending] of this.#pending) if (pending.peer === peer) socket.destroy();
  }

  close(): void {
    for (const name of [...this.#tickets.keys()]) this.#miss(name);
    for (const socket of this.#pending.keys()) socket.destroy();
  }

  #miss(name: string): void {
    const ticket = this.#tickets.get(name);
    this.#drop(name);
    ticket?.missed();
  }

  #drop(name: string): void {
    const ticket = this.#tickets.get(name);
    if (ticket === undefined) return;
    clearTimeout(ticket.timer);
    this.#tickets.delete(name);
    const { host } = ticket;
    for (const other of this.#tickets.values()) if (other.host === host) return;
    const server = this.#servers.get(host);
    this.#servers.delete(host);
    server?.then(
      (one) => one.close(),
      () => {
        // It never listened.
      },
    );
  }

  #server(host: string): Promise<Server> {
    const standing = this.#servers.get(host);
    if (standing !== undefined) return standing;
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
    const listening = new Promise<Server>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port: this.#options.port }, () => {
        server.off('error', reject);
        server.on('error', () => {
          // A connection could not be accepted, as without file descriptors; the peer stays with its stream.
        });
        server.unref();
        resolve(server);
      });
    });
    listening.catch(() => this.#servers.delete(host));
    this.#servers.set(host, listening);
    return listening;
  }

  #accept(socket: Socket): void {
    socket.on('error', () => {});
    const address = plainAddress(socket.remoteAddress ?? '');
    let judged = false;
    const refuse = () => {
      if (judged) return;
      judged = true;
      this.#options.refusedOne();
      socket.destroy();
    };
    if (!this.#mayCome(address)) {
      refuse();
      return;
    }
    const pending = { address, peer: null as string | null };
    this.#pending.set(socket, pending);
    const signal = AbortSignal.timeout(HANDSHAKE_MS);
    signal.addEventListener('abort', refuse, { once: true });
    const done = () => {
      this.#pending.delete(socket);
      signal.removeEventListener('abort', refuse);
    };
    socket.once('close', done);
    const onReadable = () => {
      const hello: Buffer | null = socket.read(HELLO_BYTES);
      if (hello === null) return;
      socket.off('readable', onReadable);
      const ticket = this.#take(hello, address);
      if (ticket === null) {
        refuse();
        return;
      }
      pending.peer = ticket.peer;
      secureAccepted(socket, this.#options.identity(), ticket.fingerprint, signal).then(
        (secured) => {
          judged = true;
          done();
          ticket.arrived(secured);
        },
        () => {
          refuse();
          ticket.missed();
        },
      );
    };
    socket.on('readable', onReadable);
    socket.once('end', () => {
      if (pending.peer === null) refuse();
    });
  }

  #mayCome(address: string): boolean {
    let known = false;
    for (const { addresses } of this.#tickets.values()) known ||= addresses.includes(address);
    if (!known || this.#pending.size >= MAX_PENDING) return false;
    let same = 0;
    for (const pending of this.#pending.values()) if (pending.address === address) same++;
    return same < MAX_PENDING_ADDRESS && this.#rate.take(1, this.#options.now());
  }

  #take(hello: Buffer, address: string): Ticket | null {
    const name = readHello(hello);
    const ticket = name === null ? undefined : this.#tickets.get(name);
    if (ticket === undefined || !ticket.addresses.includes(address)) return null;
    this.#drop(name!);
    return ticket;
  }
}

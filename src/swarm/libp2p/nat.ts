/**
 * What stands between this node and the world: its address as servers of STUN see it, and whether its NAT keeps one port
 * for all destinations (RFC 4787: endpoint-independent mapping), without which two NATs cannot be crossed directly.
 *
 * @module swarm/libp2p/nat
 */
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import type { Random } from '../../base/index.ts';
import type { NatReport } from '../types.ts';
import { type BindingAnswer, type Endpoint, encodeBindingRequest, parseBindingAnswer } from './stun.ts';

/** RFC 5389 section 7.2.1 doubles the wait; a server that is there answers the first or the second. */
const RESEND_MS = [0, 250, 500];
const ANSWER_MS = 1500;
const MAX_SERVERS = 4;

export const NO_REPORT: NatReport = { mapping: 'unknown', address: null, server: null };

/** `stun:host:port` or `host:port`; null for what is neither. Port 3478 when there is none. */
export function parseStunUrl(url: string): Endpoint | null {
  const match = /^(?:stun:)?(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::(\d{1,5}))?$/i.exec(url);
  const port = Number(match?.[3] ?? 3478);
  return match === null || port < 1 || port > 65_535 ? null : { host: (match[1] ?? match[2])!, port };
}

export function stunUrl({ host, port }: Endpoint): string {
  return `stun:${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** A relay answers STUN on the UDP port of the same number as its TCP port. */
export function stunOfRelays(relays: readonly string[]): Endpoint[] {
  const out = new Map<string, Endpoint>();
  for (const relay of relays) {
    const [, kind, host, transport, port] = relay.split('/');
    if (transport !== 'tcp' || !/^(ip[46]|dns[46]?)$/.test(kind ?? '')) continue;
    const endpoint = parseStunUrl(kind === 'ip6' ? `[${host}]:${port}` : `${host}:${port}`);
    if (endpoint !== null) out.set(stunUrl(endpoint), endpoint);
  }
  return [...out.values()];
}

/**
 * Asks servers, at most four, from one socket. `mapping` is `none` when the address is this machine's own, `independent`
 * when two destinations see the same port, `dependent` when they do not, `unknown` when fewer than two answered.
 */
export async function probeNat(
  servers: readonly Endpoint[],
  random: Random,
  signal: AbortSignal,
): Promise<NatReport> {
  const resolved: Endpoint[] = [];
  const urls = new Map<Endpoint, string>();
  for (const server of servers.slice(0, MAX_SERVERS))
    try {
      const { address } = await lookup(server.host, { family: 4 });
      const endpoint = { host: address, port: server.port };
      resolved.push(endpoint);
      urls.set(endpoint, stunUrl(server));
    } catch {
      // A name that is not known now, or IPv6, where there is no NAT to learn about.
    }
  if (resolved.length === 0) return NO_REPORT;
  const socket = createSocket('udp4');
  // What the system says of ports that are closed: no answer comes, which is what counts.
  socket.on('error', () => {});
  try {
    socket.bind(0);
    await once(socket, 'listening', { signal });
    const answers = await Promise.all(
      resolved.map(async (server) => ({ server, answer: await ask(socket, server, random, signal) })),
    );
    const first = answers.find(({ answer }) => answer !== null);
    if (first === undefined) return NO_REPORT;
    const seen = answers.flatMap(({ answer }) => (answer === null ? [] : [answer.mapped]));
    const { other, mapped } = first.answer!;
    // The other port of the same machine, never another machine: a server must not send us anywhere.
    if (seen.length < 2 && other !== null) {
      const second = await ask(socket, { host: first.server.host, port: other.port }, random, signal);
      if (second !== null) seen.push(second.mapped);
    }
    return {
      address: mapped.host,
      server: urls.get(first.server)!,
      mapping:
        isOwn(mapped.host) && mapped.port === socket.address().port
          ? 'none'
          : seen.length < 2
            ? 'unknown'
            : seen.every(({ host, port }) => host === mapped.host && port === mapped.port)
              ? 'independent'
              : 'dependent',
    };
  } finally {
    socket.close();
  }
}

function isOwn(host: string): boolean {
  return Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === host));
}

function ask(
  socket: Socket,
  server: Endpoint,
  random: Random,
  signal: AbortSignal,
): Promise<BindingAnswer | null> {
  const transaction = random.bytes(12);
  const request = encodeBindingRequest(transaction);
  return new Promise((resolve) => {
    const end = (answer: BindingAnswer | null) => {
      for (const timer of timers) clearTimeout(timer);
      socket.off('message', onMessage);
      signal.removeEventListener('abort', onAbort);
      resolve(answer);
    };
    const onAbort = () => end(null);
    const onMessage = (bytes: Uint8Array, from: { readonly address: string; readonly port: number }) => {
      if (from.address !== server.host || from.port !== server.port) return;
      const answer = parseBindingAnswer(bytes);
      if (answer !== null && Buffer.compare(answer.transaction, transaction) === 0) end(answer);
    };
    const timers = RESEND_MS.map((ms) =>
      setTimeout(() => socket.send(request, server.port, server.host, () => {}), ms),
    );
    timers.push(setTimeout(() => end(null), ANSWER_MS));
    socket.on('message', onMessage);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) end(null);
  });
}

/**
 * How two nodes agree on a lane: one call over the link that they have, then a TCP connection with TLS 1.3 beside it.
 *
 * The call is `/kith/lane/1`, without payload. Its metadata is `{f: SHA-256 of the caller's certificate}`, its answer
 * `{f: SHA-256 of the other's certificate, p: TCP port, t: ticket of 32 bytes}`. Within five seconds the caller connects to
 * that port at the address where the peer's link ends, and sends
 *
 * | at | bytes | holds                                         |
 * | -- | ----- | --------------------------------------------- |
 * | 0  | 8     | `kithlan1`                                    |
 * | 8  | 32    | SHA-256 of the ticket, which is good for once |
 *
 * and then, as the client, TLS 1.3 with ALPN `kith-lane/1`. Each side takes the certificate whose SHA-256 it was told and no
 * other. Inside, the lane is what a stream of `/kith/call/1.0.0` is: the frames of the one who connected come first.
 *
 * The hash instead of the ticket: whoever names a port must not choose the bytes that are sent there.
 *
 * @module swarm/lane/agreement
 */
import { createHash } from 'node:crypto';
import { type CborMap, KithError } from '../../base/index.ts';
import { FINGERPRINT_BYTES } from './certificate.ts';

export const LANE_METHOD = '/kith/lane/1';
export const LANE_ALPN = 'kith-lane/1';
export const TICKET_BYTES = 32;
export const TICKET_MS = 5000;
const MAGIC = Buffer.from('kithlan1');
export const HELLO_BYTES = MAGIC.length + 32;

export interface LaneTerms {
  readonly fingerprint: Uint8Array;
  readonly port: number;
  readonly ticket: Uint8Array;
}

const isBytes = (value: unknown, length: number): value is Uint8Array =>
  value instanceof Uint8Array && value.length === length;

export function refused(why: string, status = 503): KithError {
  return new KithError('swarm_lane_refused', `There is no lane between the two nodes: ${why}.`, { status });
}

export const offerOf = (fingerprint: Uint8Array): CborMap => ({ f: fingerprint });

/** The caller's fingerprint. @throws {KithError} `swarm_lane_refused` */
export function readOffer({ f: fingerprint, ...more }: CborMap): Uint8Array {
  if (!isBytes(fingerprint, FINGERPRINT_BYTES) || Object.keys(more).length > 0)
    throw refused('the request is malformed', 400);
  return fingerprint;
}

export const answerOf = ({ fingerprint, port, ticket }: LaneTerms): CborMap => ({
  f: fingerprint,
  p: port,
  t: ticket,
});

/** @throws {KithError} `swarm_lane_refused` */
export function readAnswer({ f: fingerprint, p: port, t: ticket, ...more }: CborMap): LaneTerms {
  const ports = typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535;
  if (
    !isBytes(fingerprint, FINGERPRINT_BYTES) ||
    !isBytes(ticket, TICKET_BYTES) ||
    !ports ||
    Object.keys(more).length > 0
  )
    throw refused('the answer is malformed', 502);
  return { fingerprint, port, ticket };
}

const hashOf = (ticket: Uint8Array) => createHash('sha256').update(ticket).digest();

export const helloOf = (ticket: Uint8Array): Buffer => Buffer.concat([MAGIC, hashOf(ticket)]);

/** What a ticket is known by on the side that gave it. */
export const ticketName = (ticket: Uint8Array): string => hashOf(ticket).toString('hex');

/** The name of the ticket in a hello; null for what is none. */
export function readHello(bytes: Buffer): string | null {
  if (bytes.length !== HELLO_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return null;
  return bytes.toString('hex', MAGIC.length);
}

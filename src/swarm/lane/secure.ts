/**
 * TLS over a connected socket, to a peer that is known by its certificate's fingerprint and by nothing else.
 *
 * @module swarm/lane/secure
 */
import { timingSafeEqual } from 'node:crypto';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect, TLSSocket } from 'node:tls';
import { helloOf, LANE_ALPN, type LaneTerms } from './agreement.ts';
import { fingerprintOf, type LaneIdentity } from './certificate.ts';

/** Time for the connection, and for its handshake. */
export const HANDSHAKE_MS = 3000;

/** Whether the other side holds the key of the certificate it was announced with, over a fresh TLS 1.3 handshake. */
function isExpected(socket: TLSSocket, fingerprint: Uint8Array): boolean {
  const certificate = socket.getPeerX509Certificate()?.raw;
  return (
    certificate !== undefined &&
    socket.getProtocol() === 'TLSv1.3' &&
    socket.alpnProtocol === LANE_ALPN &&
    !socket.isSessionReused() &&
    timingSafeEqual(fingerprintOf(certificate), fingerprint)
  );
}

/** Resolves before a byte of the other side was given to anybody; rejects, and the socket is gone. */
function settled(
  socket: TLSSocket,
  event: 'secure' | 'secureConnect',
  fingerprint: Uint8Array,
  signal: AbortSignal,
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const fail = (why: Error) => {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      reject(why);
    };
    const onAbort = () => fail(new Error('the lane did not stand in time'));
    const onClose = () => fail(new Error('the connection ended before the lane stood'));
    socket.on('error', fail);
    socket.once('close', onClose);
    // Whoever leaves in the middle of the handshake closes nothing on the side that listened: it would wait out its time.
    socket.once('end', onClose);
    socket.once(event, () => {
      if (!isExpected(socket, fingerprint)) {
        fail(new Error('the other end of the lane is not the peer'));
        return;
      }
      signal.removeEventListener('abort', onAbort);
      socket.off('close', onClose);
      socket.off('end', onClose);
      resolve(socket);
    });
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

/** The side that listened, once the hello has been read. */
export function secureAccepted(
  socket: Socket,
  { context }: LaneIdentity,
  fingerprint: Uint8Array,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const secured = new TLSSocket(socket, {
    isServer: true,
    secureContext: context,
    requestCert: true,
    // Its fingerprint is what counts.
    rejectUnauthorized: false,
    ALPNProtocols: [LANE_ALPN],
  });
  return settled(secured, 'secure', fingerprint, signal);
}

/** The side that connects. `address` is an IP address. */
export async function dialLane(
  address: string,
  { port, ticket, fingerprint }: LaneTerms,
  { context }: LaneIdentity,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const socket = connectTcp({ host: address, port, noDelay: true, allowHalfOpen: true });
  await new Promise<void>((resolve, reject) => {
    const fail = (why: Error) => {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      reject(why);
    };
    const onAbort = () => fail(new Error('the lane did not stand in time'));
    socket.once('error', fail);
    socket.once('connect', () => {
      signal.removeEventListener('abort', onAbort);
      socket.off('error', fail);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
  socket.on('error', () => {
    // The TLS socket tells of it.
  });
  socket.write(helloOf(ticket));
  const secured = connect({
    socket,
    secureContext: context,
    rejectUnauthorized: false,
    ALPNProtocols: [LANE_ALPN],
    checkServerIdentity: () => undefined,
  });
  return settled(secured, 'secureConnect', fingerprint, signal);
}

/**
 * What stands between the bytes of a server and its client `pg`: that throws at messages that are none, which nobody would catch and which
 * would end the node; it reads without end where an error has none, and gathers a message whatever length it claims.
 *
 * @module vault/adapters/postgres-guard
 */
import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Client } from 'pg';
import { isKithError, type KithError } from '../../base/index.ts';
import { odd } from './errors.ts';
import { ENGINE_BOUNDS, type EngineAddress } from './types.ts';

/** Bytes that a server may send while nobody asked: to sign in takes some hundreds. */
const UNASKED_BYTES = 1 << 20;
/** Type and length, which counts itself (PostgreSQL, 55.7). */
const HEAD_BYTES = 5;
const ERROR = 0x45;
const NOTICE = 0x4e;

export interface Guard {
  /** Whether a call is under way, which has its own bound. */
  asked: boolean;
}

/** Ends the connection of a client whose server sends what cannot be read, or much that nobody asked for. */
export function guarded(client: Client, address: EngineAddress): Guard {
  const guard: Guard = { asked: false };
  const broken = (): KithError => odd(address, 'what is no message of PostgreSQL. Look at its port');
  let unasked = 0;
  // Not in its types: called with the stream that messages come from, which with TLS is another than the socket.
  const { connection } = client as unknown as { connection: { attachListeners(stream: EventEmitter): void } };
  const attach = connection.attachListeners.bind(connection);
  connection.attachListeners = (from) => {
    const stream = from as Duplex;
    const gate = new EventEmitter();
    const whole = wholeMessages(broken);
    attach(gate);
    stream.on('end', () => gate.emit('end'));
    stream.on('data', (bytes: Buffer) => {
      try {
        unasked = guard.asked ? 0 : unasked + bytes.length;
        if (unasked > UNASKED_BYTES) throw odd(address, 'much that nobody asked for');
        const messages = whole(bytes);
        if (messages !== null) gate.emit('data', messages);
      } catch (error) {
        stream.destroy(isKithError(error) ? error : broken());
      }
    });
  };
  return guard;
}

/** @returns gives as many messages as are whole with these bytes, or null; throws where one cannot be */
export function wholeMessages(broken: () => Error): (bytes: Uint8Array) => Buffer | null {
  let held: Uint8Array[] = [];
  let size = 0;
  let wanted = HEAD_BYTES;
  return (bytes) => {
    held.push(bytes);
    size += bytes.length;
    if (size < wanted) return null;
    const all = Buffer.concat(held);
    let at = 0;
    wanted = HEAD_BYTES;
    while (at + HEAD_BYTES <= all.length) {
      const length = all.readUInt32BE(at + 1);
      if (length < HEAD_BYTES - 1 || length > ENGINE_BOUNDS.replyBytes) throw broken();
      const end = at + 1 + length;
      if (end > all.length) {
        wanted = end - at;
        break;
      }
      if ((all[at] === ERROR || all[at] === NOTICE) && !isEnded(all.subarray(at + HEAD_BYTES, end)))
        throw broken();
      at = end;
    }
    held = [all.subarray(at)];
    size = all.length - at;
    return at === 0 ? null : all.subarray(0, at);
  };
}

/** Whether fields, each a letter and a text that ends in a zero, are followed by a zero. */
function isEnded(fields: Buffer): boolean {
  for (let at = 0; at < fields.length; ) {
    if (fields[at] === 0) return true;
    const end = fields.indexOf(0, at + 1);
    if (end === -1) return false;
    at = end + 1;
  }
  return false;
}

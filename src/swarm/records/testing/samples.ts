/**
 * Identities and announcements for tests: always the same ones.
 *
 * @module swarm/records/testing/samples
 */
import { createHash } from 'node:crypto';
import { createIdentity, type Identity } from '../../../identity/index.ts';
import { signAnnouncement } from '../announcement.ts';
import { encodeEnvelope } from '../envelope.ts';
import type { Announcement } from '../types.ts';

export const NOW = 1_800_000_000_000;

const identities = new Map<number, Identity>();

/** The identity of a number. */
export function identityOf(number: number): Identity {
  const known = identities.get(number);
  if (known !== undefined) return known;
  const made = createIdentity(createHash('sha256').update(`test identity ${number}`).digest());
  identities.set(number, made);
  return made;
}

export const MODEL = createHash('sha256').update('test model').digest('hex');
export const OTHER_MODEL = createHash('sha256').update('other test model').digest('hex');

export function announcementOf(who: Identity, changes: Partial<Announcement> = {}): Announcement {
  const seq = changes.seq ?? NOW;
  return {
    peer: who.peerId,
    seq,
    exp: seq + 360_000,
    model: { hash: MODEL, quant: 'Q8_0' },
    blocks: [[0, 8]],
    tokensPerSecond: 12.5,
    latencyMs: 20,
    freeCacheTokens: 4096,
    maxBatch: 8,
    protocols: ['/kith/shard/1.0.0'],
    relayed: false,
    addrs: [],
    regions: ['eu'],
    serves: ['blocks'],
    trust: [],
    state: 'online',
    ...changes,
  };
}

/** A signed envelope. */
export function recordOf(who: Identity, changes: Partial<Announcement> = {}): Uint8Array {
  return signAnnouncement(announcementOf(who, changes), who);
}

/** Any bytes, signed as an announcement. */
export function signedBytes(who: Identity, body: Uint8Array): Uint8Array {
  return encodeEnvelope({ body, signature: who.sign('announcement', body) }, 1 << 16);
}

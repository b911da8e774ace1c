/**
 * Identities, claims and arbitrary credentials for tests.
 *
 * @module identity/testing/credentials
 */
import { createHash } from 'node:crypto';
import { fc } from '../../../test/property.ts';
import { INTERACTION_STEPS } from '../credentials/kinds.ts';
import { createIdentity } from '../key/sign.ts';
import { CREDENTIAL_TYPES, type CredentialType, type Identity, type IssuerPolicy } from '../types.ts';

export function seedOf(name: string): Uint8Array {
  return createHash('sha256').update(name).digest();
}

/** The same name is the same identity. */
export function identityOf(name: string): Identity {
  return createIdentity(seedOf(name));
}

export const CLAIMS: Readonly<Record<CredentialType, Readonly<Record<string, unknown>>>> = {
  FiduciaryPledge: { pledgeName: 'GliaNet Fiduciary Pledge v1', pledgeHash: 'ab'.repeat(32) },
  VerifiedNode: { operatorClass: 'individual', operatorId: 'op-17' },
  Uptime: { uptimePermille: 995, periodDays: 30, probes: 43_200 },
  Throughput: { model: 'tinyllama-1.1b-chat', milliTokensPerSecond: 34_500, samples: 12 },
  EventAttendee: { eventName: 'Personal AI Summit', eventDate: '2026-10-03' },
  PeerEndorsement: { interactionCount: 20 },
  Binding: { linkedIdentity: identityOf('operator').did, linkType: 'operator' },
};

export const acceptAll: IssuerPolicy = { epoch: 1, accepts: () => true };

const text = fc
  .string({ minLength: 1, maxLength: 60, unit: 'grapheme' })
  .filter((value) => value.length <= 128 && /^[^\p{Cc}\p{Cs}]+$/u.test(value));
const count = fc.integer({ min: 1, max: 1e9 });
const claims: Readonly<Record<CredentialType, fc.Arbitrary<Record<string, unknown>>>> = {
  FiduciaryPledge: fc.record({
    pledgeName: text,
    pledgeHash: fc
      .uint8Array({ minLength: 32, maxLength: 32 })
      .map((bytes) => Buffer.from(bytes).toString('hex')),
  }),
  VerifiedNode: fc.record({
    operatorClass: fc.constantFrom('individual', 'organisation'),
    operatorId: fc.stringMatching(/^[\w.:-]{1,64}$/),
  }),
  Uptime: fc.record({
    uptimePermille: fc.integer({ min: 0, max: 1000 }),
    periodDays: fc.integer({ min: 1, max: 366 }),
    probes: count,
  }),
  Throughput: fc.record({ model: text, milliTokensPerSecond: count, samples: count }),
  EventAttendee: fc.record({
    eventName: text,
    eventDate: fc
      .date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10)),
  }),
  PeerEndorsement: fc.record({ interactionCount: fc.constantFrom(...INTERACTION_STEPS) }),
  Binding: fc.record({
    linkedIdentity: fc.string().map((name) => identityOf(name).did),
    linkType: fc.constantFrom('operator', 'passkey', 'successor'),
  }),
};

/** A type, claims of it, a subject and a status. */
export const anyCredential = fc.constantFrom(...CREDENTIAL_TYPES).chain((type) =>
  fc.record({
    type: fc.constant(type),
    claims: claims[type],
    subject: fc.nat(50).map((n) => identityOf(`subject ${n}`).did),
    index: fc.option(fc.nat(131_071)),
  }),
);

/** The same value with the keys of every object in another order. */
export function shuffleKeys(value: unknown, next: () => number): unknown {
  if (Array.isArray(value)) return value.map((entry) => shuffleKeys(entry, next));
  if (typeof value !== 'object' || value === null) return value;
  const keyed = Object.entries(value).map(([key, entry]) => ({ key, entry, at: next() }));
  keyed.sort((a, b) => a.at - b.at);
  return Object.fromEntries(keyed.map(({ key, entry }) => [key, shuffleKeys(entry, next)]));
}

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createManualClock } from '../src/base/index.ts';
import {
  type CredentialType,
  createCredentialVerifier,
  createIdentity,
  type Identity,
  issueCredential,
} from '../src/identity/index.ts';
import { addIssuer, openTrust } from '../src/trust/index.ts';

const home = mkdtempSync(join(tmpdir(), 'kith-trust-credentials-'));
after(() => rmSync(home, { recursive: true, force: true }));
const NOW = Date.UTC(2026, 10, 21);
const DAY_MS = 86_400_000;
const key = (byte: number): Identity => createIdentity(new Uint8Array(32).fill(byte));
const [issuer, second, peer, endorser, self] = [key(1), key(2), key(3), key(4), key(5)];

const CLAIMS: Partial<Record<CredentialType, Record<string, unknown>>> = {
  VerifiedNode: { operatorClass: 'individual', operatorId: 'op-1' },
  Uptime: { uptimePermille: 999, periodDays: 30, probes: 100 },
  FiduciaryPledge: { pledgeName: 'pledge', pledgeHash: '0'.repeat(64) },
  PeerEndorsement: { interactionCount: 20 },
};

test('credentials raise a score only through the pipeline and the policy, and forged ones not at all', async () => {
  const clock = createManualClock(NOW);
  await addIssuer(home, { issuer: issuer.did, types: ['VerifiedNode'] });
  await addIssuer(home, { issuer: second.did, types: ['Uptime', 'FiduciaryPledge'] });
  using trust = openTrust({ home, clock, self: self.peerId });
  const status = { look: () => ({ state: 'clear', stale: false }) as const };
  const verifier = createCredentialVerifier({ clock, policy: trust.policy, status });
  const issue = (by: Identity, type: CredentialType, subject: Identity, validFrom = NOW) =>
    issueCredential(by, { type, subject: subject.did, claims: CLAIMS[type] ?? {}, validFrom }).bytes;
  /** The way of every credential: verified, then learnt. */
  const take = async (bytes: Uint8Array, subject: Identity = peer): Promise<string> => {
    const { verdict, facts } = await verifier.verify(bytes, { subject: subject.did });
    if (facts !== null) trust.learn(facts);
    return verdict.code;
  };
  const score = () => trust.score(peer.peerId).score.toFixed(3);

  const uptime = issue(second, 'Uptime', peer);
  const changed = new TextEncoder().encode(new TextDecoder().decode(uptime).replace('999', '998'));
  assert.deepEqual(
    [
      await take(issue(peer, 'FiduciaryPledge', peer)),
      await take(issue(issuer, 'FiduciaryPledge', peer)),
      await take(issue(issuer, 'VerifiedNode', endorser)),
      await take(changed),
      await take(issue(second, 'Uptime', peer, NOW - 91 * DAY_MS)),
    ],
    ['untrusted_issuer', 'untrusted_issuer', 'wrong_subject', 'bad_proof', 'expired'],
  );
  assert.equal(score(), '0.000');

  assert.equal(await take(issue(issuer, 'VerifiedNode', peer)), 'ok');
  assert.equal(score(), '0.200');
  assert.equal(await take(uptime), 'ok');
  assert.equal(await take(uptime), 'ok');
  assert.equal(score(), '0.400');
  assert.equal(trust.tier(peer.peerId), 'verified');
  assert.equal(await take(issue(second, 'FiduciaryPledge', peer)), 'ok');
  assert.equal(trust.tier(peer.peerId), 'trusted');
  assert.equal(trust.meets(peer.peerId, { pledge: true }, { latencyMs: null, region: null }).ok, true);

  await take(issue(issuer, 'VerifiedNode', endorser), endorser);
  await take(issue(second, 'Uptime', endorser), endorser);
  assert.equal(await take(issue(endorser, 'PeerEndorsement', peer)), 'ok');
  // Both nodes have the same operator at the same issuer: its word for itself is no endorsement.
  assert.equal(score(), '0.700');
});

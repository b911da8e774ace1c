import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createManualClock } from '../base/index.ts';
import { DAY_MS } from './score/decay.ts';
import { endorsement, facts, folder, peerNamed } from './testing/peers.ts';
import { openTrust, type Trust } from './trust.ts';

const NOW = Date.UTC(2026, 10, 21);
const issuer = peerNamed('issuer');
const second = peerNamed('second issuer');
const self = peerNamed('self');
const ada = peerNamed('ada');
const bob = peerNamed('bob');

function policyText(extra = ''): string {
  return `issuers:
  - { issuerDid: ${issuer.did}, types: [VerifiedNode, Uptime, FiduciaryPledge, EventAttendee] }
  - { issuerDid: ${second.did}, types: [Uptime, FiduciaryPledge] }
${extra}`;
}

function setUp(extra = '') {
  const home = folder();
  const clock = createManualClock(NOW);
  mkdirSync(join(home.path, 'trust'));
  const write = (text: string) => writeFileSync(join(home.path, 'trust', 'policy.yaml'), text);
  write(policyText(extra));
  const trust = openTrust({ home: home.path, clock, self: self.peerId });
  return {
    home,
    clock,
    trust,
    write,
    [Symbol.dispose]() {
      trust.close();
      home[Symbol.dispose]();
    },
  };
}

function makeTrio(trust: Trust, subject = ada, at = NOW) {
  trust.learn(
    facts({ type: 'VerifiedNode', issuer, subject, validFrom: at, claims: { operatorId: subject.peerId } }),
  );
  trust.learn(facts({ type: 'Uptime', issuer: second, subject, validFrom: at }));
  trust.learn(facts({ type: 'FiduciaryPledge', issuer: second, subject, validFrom: at }));
}

const term = (trust: Trust, peerId: string, name: string) =>
  trust.score(peerId).terms.find((each) => each.name === name)!.value;

test('a peer nobody knows has a score of 0 and is Unknown', () => {
  using world = setUp();
  const { score, tier, gates } = world.trust.score(ada.peerId);
  assert.deepEqual([score, tier, gates], [0, 'unknown', []]);
});

test('credentials, observations and incidents make the score that the formula gives', async () => {
  using world = setUp();
  const { trust, clock } = world;
  makeTrio(trust);
  assert.equal(trust.score(ada.peerId).score.toFixed(3), '0.700');
  assert.deepEqual(trust.score(ada.peerId).tiers, { default: 'trusted', reference: 'trusted' });
  for (const dimension of ['audit', 'availability', 'throughput', 'latency'] as const)
    for (let i = 0; i < 100; i++) trust.observe(ada.peerId, dimension, i < 95 ? 1 : 0);
  assert.equal(trust.score(ada.peerId).score.toFixed(3), '0.791');
  trust.incident(ada.peerId, 'recomputed', 'evidence');
  const struck = trust.score(ada.peerId);
  assert.equal(struck.score.toFixed(3), '0.395');
  assert.equal(struck.tier, 'known');
  assert.match(struck.gates[0]!, /quarantine/);
  assert.equal(struck.quarantineUntil, NOW + 30 * DAY_MS);
  for (let week = 0; week < 5; week++) {
    await clock.advance(6 * DAY_MS);
    trust.observe(bob.peerId, 'latency', 1);
  }
  assert.equal(trust.score(ada.peerId).quarantineUntil, null);
  assert.equal(trust.tier(ada.peerId), 'verified');
});

test('every term of a score follows from the others by the formula', () => {
  using world = setUp(`roots: [${bob.did}]\n`);
  const { trust } = world;
  makeTrio(trust);
  makeTrio(trust, bob);
  trust.learn(endorsement(bob, ada, NOW));
  for (let i = 0; i < 7; i++) trust.observe(ada.peerId, 'audit', i === 0 ? 0 : 1);
  const t = (name: string) => term(trust, ada.peerId, name);
  const conduct = t('observations') + (1 - t('confidence')) * 0.25 * t('rank');
  const credentials = t('credentials');
  const expected =
    t('moderation') * t('strikes') * t('accountability') * (credentials + (1 - credentials) * 0.35 * conduct);
  assert.ok(t('rank') > 0 && t('endorsements') > 0);
  assert.equal(credentials.toFixed(6), (0.7 + 0.05 * t('endorsements')).toFixed(6));
  assert.equal(trust.score(ada.peerId).score.toFixed(12), expected.toFixed(12));
});

test('the best credential of a type counts, and more of a kind add nothing', () => {
  using world = setUp();
  const { trust } = world;
  for (let age = 0; age < 6; age++)
    trust.learn(facts({ type: 'VerifiedNode', issuer, subject: ada, validFrom: NOW - age * DAY_MS }));
  assert.equal(trust.score(ada.peerId).score, 0.2);
  trust.learn(facts({ type: 'VerifiedNode', issuer: ada, subject: ada, validFrom: NOW }));
  assert.equal(trust.score(ada.peerId).score, 0.2, 'nor what an issuer says whom the policy does not name');
});

test('one issuer alone makes nobody Trusted', () => {
  using world = setUp();
  for (const type of ['VerifiedNode', 'Uptime', 'FiduciaryPledge', 'EventAttendee'] as const)
    world.trust.learn(facts({ type, issuer, subject: ada, validFrom: NOW }));
  const { score, tier, gates } = world.trust.score(ada.peerId);
  assert.deepEqual([score.toFixed(2), tier], ['0.80', 'verified']);
  assert.match(gates[0]!, /one issuer/);
});

test('a change of the policy counts at the next evaluation', async () => {
  using world = setUp();
  const { trust, clock } = world;
  makeTrio(trust);
  assert.equal(trust.tier(ada.peerId), 'trusted');
  const epoch = trust.policy.epoch;
  world.write(
    policyText().replace(/^.*second issuer.*$|^ {2}- .*types: \[Uptime, FiduciaryPledge\] \}$/m, ''),
  );
  await clock.advance(1000);
  assert.equal(trust.score(ada.peerId).score.toFixed(2), '0.20');
  assert.notEqual(trust.policy.epoch, epoch);
});

test('a credential whose status cannot be learned counts half for the grace and then not at all', async () => {
  using world = setUp();
  const { trust, clock } = world;
  trust.learn(facts({ type: 'VerifiedNode', issuer, subject: ada, validFrom: NOW }), NOW + DAY_MS);
  assert.equal(trust.score(ada.peerId).score, 0.2);
  await clock.advance(2 * DAY_MS);
  assert.equal(trust.score(ada.peerId).score.toFixed(3), '0.100');
  await clock.advance(7 * DAY_MS);
  assert.equal(trust.score(ada.peerId).score, 0);
});

test('credentials end by their own dates and by the longest lifetime of their type', async () => {
  using world = setUp();
  const { trust, clock } = world;
  trust.learn(
    facts({ type: 'VerifiedNode', issuer, subject: ada, validFrom: NOW, validUntil: NOW + DAY_MS }),
  );
  trust.learn(
    facts({ type: 'Uptime', issuer, subject: ada, validFrom: NOW, validUntil: NOW + 9999 * DAY_MS }),
  );
  await clock.advance(DAY_MS);
  assert.equal(trust.score(ada.peerId).score.toFixed(2), '0.20');
  await clock.advance(89 * DAY_MS);
  assert.equal(trust.score(ada.peerId).score, 0);
});

test('a successor has the strikes and the shared losses of the key before, half of what was seen, and no credentials', () => {
  using world = setUp();
  const { trust } = world;
  const next = peerNamed('next');
  makeTrio(trust);
  for (let i = 0; i < 40; i++) trust.observe(ada.peerId, 'audit', 1);
  trust.learn(endorsement(ada, bob, NOW - DAY_MS));
  trust.incident(bob.peerId, 'recomputed', 'of bob');
  trust.incident(ada.peerId, 'recomputed', 'of ada');
  const before = trust.score(ada.peerId);
  assert.equal(term(trust, ada.peerId, 'accountability'), 0.9);
  assert.equal(trust.succeed(ada.peerId, next.peerId), 'taken');
  const after = trust.score(next.peerId);
  assert.equal(term(trust, next.peerId, 'strikes'), 0.5);
  assert.equal(term(trust, next.peerId, 'accountability'), 0.9);
  assert.equal(term(trust, next.peerId, 'credentials'), 0);
  assert.equal(term(trust, next.peerId, 'confidence').toFixed(4), (0.4 * (20 / 30)).toFixed(4));
  assert.equal(after.quarantineUntil, before.quarantineUntil);
  assert.equal(trust.score(ada.peerId).score, 0);
  assert.match(trust.score(ada.peerId).gates[0]!, /handed over to/);
});

test('a peer meets what is asked of it, or each reason is told', () => {
  using world = setUp();
  const { trust } = world;
  const facts_ = { latencyMs: 80, region: 'eu' };
  makeTrio(trust);
  const all = { minTier: 'trusted', maxLatencyMs: 100, regions: ['us', 'eu'], pledge: true } as const;
  assert.deepEqual(trust.meets(ada.peerId, all, facts_), { ok: true, reasons: [] });
  const { ok, reasons } = trust.meets(bob.peerId, all, { latencyMs: null, region: null });
  assert.equal(ok, false);
  assert.equal(reasons.length, 4);
  assert.match(
    reasons.join('\n'),
    /tier is unknown[\s\S]*latency is not known[\s\S]*region is not known[\s\S]*Pledge/,
  );
  assert.match(trust.meets(ada.peerId, { maxLatencyMs: 79 }, facts_).reasons[0]!, /80 ms, and at most 79/);
  assert.equal(trust.meets(bob.peerId, {}, { latencyMs: null, region: null }).ok, true);
});

test('endorsements count by who signs them, once for each operator, and the own ones in full', async () => {
  using world = setUp();
  const { trust, clock } = world;
  const sybil = peerNamed('sybil');
  trust.learn(endorsement(sybil, ada, NOW));
  assert.equal(trust.score(ada.peerId).score, 0);
  for (const name of ['one', 'two']) {
    const peer = peerNamed(name);
    trust.learn(
      facts({ type: 'VerifiedNode', issuer, subject: peer, validFrom: NOW, claims: { operatorId: 'same' } }),
    );
    trust.learn(facts({ type: 'Uptime', issuer, subject: peer, validFrom: NOW }));
    trust.learn(endorsement(peer, ada, NOW));
  }
  assert.equal(term(trust, ada.peerId, 'endorsements').toFixed(4), (0.4 / 3).toFixed(4));
  trust.learn(endorsement(self, ada, NOW));
  await clock.advance(20_000);
  assert.equal(term(trust, ada.peerId, 'endorsements').toFixed(4), (1.4 / 3).toFixed(4));
  assert.ok(term(trust, ada.peerId, 'rank') > 0, 'ranks start from whom this node endorses itself');
});

test('throughput counts by the distinct Verified peers that measured it', () => {
  using world = setUp();
  const { trust } = world;
  const measured = (by: ReturnType<typeof peerNamed>) =>
    trust.learn(facts({ type: 'Throughput', issuer: by, subject: ada, validFrom: NOW }));
  measured(ada);
  measured(peerNamed('stranger'));
  assert.equal(trust.score(ada.peerId).score, 0);
  for (const [i, name] of ['one', 'two', 'three', 'four'].entries()) {
    const peer = peerNamed(name);
    trust.learn(facts({ type: 'VerifiedNode', issuer, subject: peer, validFrom: NOW }));
    trust.learn(facts({ type: 'Uptime', issuer, subject: peer, validFrom: NOW }));
    measured(peer);
    assert.equal(trust.score(ada.peerId).score.toFixed(3), (Math.min(3, i + 1) * 0.05).toFixed(3));
  }
});

test('what another process stores is seen within a second', async () => {
  using world = setUp();
  const { trust, clock, home } = world;
  makeTrio(trust);
  assert.equal(trust.tier(ada.peerId), 'trusted');
  using other = openTrust({ home: home.path, clock, self: self.peerId });
  other.incident(ada.peerId, 'recomputed', 'elsewhere');
  await clock.advance(1000);
  assert.equal(trust.tier(ada.peerId), 'known');
});

test('an observation outside of 0 to 1 and an incident without evidence are refused', () => {
  using world = setUp();
  for (const x of [-0.1, 1.1, Number.NaN])
    assert.throws(() => world.trust.observe(ada.peerId, 'audit', x), { code: 'observation_invalid' });
  assert.throws(() => world.trust.incident(ada.peerId, 'recomputed', ''), { code: 'observation_invalid' });
  world.trust.end('no such digest', 'for_cause');
  assert.deepEqual(world.trust.peers(), []);
});

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createManualClock, createSeededRandom, silentLogger } from '../base/index.ts';
import {
  createCredentialVerifier,
  createIdentity,
  FOR_CAUSE,
  type Identity,
  openWallet,
  signHandOver,
} from '../identity/index.ts';
import { addIssuer, openTrust } from '../trust/index.ts';
import { createTaking } from './swarm-credentials-take.ts';

const key = (byte: number): Identity => createIdentity(new Uint8Array(32).fill(byte));
const [self, issuer, bea, cat, dan] = [key(1), key(2), key(3), key(4), key(5)];
const NOW = Date.UTC(2026, 10, 22);
const NOTHING = { credentials: [], endorsements: [], handOvers: [], lists: [] };

async function withNode(work: (kit: Awaited<ReturnType<typeof kitOf>>) => Promise<void>): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'kith-take-'));
  try {
    const kit = await kitOf(home);
    await work(kit);
    for (const part of [kit.trust, kit.wallet, kit.office]) part[Symbol.dispose]();
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function kitOf(home: string) {
  const clock = createManualClock(NOW);
  await addIssuer(home, { issuer: issuer.did, types: ['VerifiedNode'] });
  const trust = openTrust({ home, clock, self: self.peerId });
  const wallet = openWallet(home, { clock, random: createSeededRandom(1) });
  /** The issuer's own wallet. */
  const office = openWallet(join(home, 'issuer'), { clock, random: createSeededRandom(2) });
  const refused: string[] = [];
  const asked: string[] = [];
  const taking = createTaking({
    ...{ wallet, trust, clock, log: silentLogger, signal: new AbortController().signal },
    verifier: createCredentialVerifier({ clock, policy: trust.policy, status: wallet.lists }),
    refresh: async (_issuer, list, from) => {
      asked.push(`${list} ${from}`);
    },
    onHandedOver: (peer) => refused.push(peer),
  });
  const issue = (by: Identity = issuer) =>
    office.issued.issue(by, {
      type: 'VerifiedNode',
      subject: bea.did,
      claims: { operatorClass: 'individual', operatorId: 'op' },
      validFrom: clock.now(),
    });
  /** Brings this node all lists of the issuer as they are now. */
  const bringLists = async () => {
    await clock.advance(1000);
    for (const id of office.issued.lists(issuer))
      assert.equal(wallet.lists.take(office.issued.publish(issuer, id).bytes), null);
  };
  return { home, clock, trust, wallet, office, taking, refused, asked, issue, bringLists };
}

test('a revocation for cause strikes the subject, if the owner named the issuer for that type', async () => {
  await withNode(async ({ trust, wallet, office, taking, issue, bringLists }) => {
    const { bytes, digest } = issue();
    await bringLists();
    const shown = { ...NOTHING, credentials: [bytes] };
    assert.deepEqual(await taking.take(bea.peerId, shown), { learned: 1, refused: [], againAfter: null });
    assert.equal(trust.score(bea.peerId).score.toFixed(2), '0.20');
    office.issued.revoke(issuer, digest, undefined, true);
    assert.equal(office.issued.lists(issuer).filter((id) => id.endsWith(FOR_CAUSE)).length, 1);
    await bringLists();
    await taking.review(wallet.others.all());
    const { terms, quarantineUntil } = trust.score(bea.peerId);
    assert.match(terms[0]!.detail, /^none that counts; VerifiedNode revoked by did:key/);
    assert.match(terms.find(({ name }) => name === 'strikes')!.detail, /^revoked_for_cause 0 d ago/);
    assert.notEqual(quarantineUntil, null);
    assert.deepEqual(wallet.others.all(), []);
    assert.deepEqual((await taking.take(bea.peerId, shown)).refused, ['revoked']);
    // New credentials do not end up in the list that tells why.
    assert.equal(issue().fields.status!.list.endsWith(FOR_CAUSE), false);
  });
});

test('a revocation without a cause ends the credential alone, and nobody strikes by revoking an endorsement', async () => {
  await withNode(async ({ clock, trust, wallet, office, taking, issue, bringLists }) => {
    const { bytes, digest } = issue();
    const list = `${issuer.did}/status/1`;
    await bringLists();
    await taking.take(bea.peerId, { ...NOTHING, credentials: [bytes] });
    office.issued.revoke(issuer, digest);
    await bringLists();
    await taking.review(wallet.others.on(issuer.did, list));
    assert.match(trust.score(bea.peerId).terms[0]!.detail, /VerifiedNode revoked/);
    assert.equal(trust.score(bea.peerId).quarantineUntil, null);
    const endorsement = office.issued.issue(issuer, {
      type: 'PeerEndorsement',
      subject: cat.did,
      claims: { interactionCount: 20 },
      validFrom: clock.now(),
      statusList: 'https://example.org/list',
    });
    await bringLists();
    const given = { ...NOTHING, endorsements: [endorsement.bytes] };
    assert.equal((await taking.take(issuer.peerId, given)).learned, 1);
    office.issued.revoke(issuer, endorsement.digest, undefined, true);
    await bringLists();
    await taking.review(wallet.others.all());
    assert.deepEqual((await taking.take(issuer.peerId, given)).refused, ['revoked']);
    assert.equal(trust.score(cat.peerId).quarantineUntil, null);
  });
});

test('hand-overs count for the key of the connection alone, and a second successor is misconduct of both', async () => {
  await withNode(async ({ trust, taking, refused }) => {
    trust.observe(bea.peerId, 'audit', 1);
    const toCat = { ...NOTHING, handOvers: [signHandOver(bea, cat, NOW).bytes] };
    await taking.take(dan.peerId, toCat);
    assert.deepEqual(trust.predecessors(9), []);
    await taking.take(cat.peerId, toCat);
    await taking.take(cat.peerId, toCat);
    assert.deepEqual([trust.predecessors(9), refused], [[bea.peerId], [bea.peerId, bea.peerId]]);
    assert.equal(trust.score(cat.peerId).quarantineUntil, null);
    const forged = toCat.handOvers[0]!.slice();
    forged[20]! ^= 1;
    assert.deepEqual((await taking.take(cat.peerId, { ...NOTHING, handOvers: [forged] })).refused, [
      'rotation_invalid',
    ]);
    await taking.take(dan.peerId, { ...NOTHING, handOvers: [signHandOver(bea, dan, NOW + 1).bytes] });
    for (const { peerId } of [cat, dan])
      assert.match(
        trust.score(peerId).terms.find(({ name }) => name === 'strikes')!.detail,
        /^conflicting_successors/,
      );
    const own = { ...NOTHING, handOvers: [signHandOver(key(7), key(8), NOW).bytes] };
    await taking.take(key(8).peerId, own);
    assert.equal(trust.predecessors(9).includes(key(7).peerId), false, 'nothing is known of that key');
  });
});

test('more than may be verified in a minute waits, and lists are looked for only where they matter', async () => {
  await withNode(async ({ clock, office, taking, issue, asked, bringLists }) => {
    const { bytes } = issue();
    const stranger = issue(dan).bytes;
    const shown = { ...NOTHING, credentials: [bytes, stranger] };
    assert.deepEqual((await taking.take(bea.peerId, shown)).refused, ['status_unknown', 'untrusted_issuer']);
    assert.deepEqual(asked, [`${issuer.did}/status/1 ${bea.peerId}`]);
    const free = office.issued.issue(dan, {
      type: 'PeerEndorsement',
      subject: bea.did,
      claims: { interactionCount: 1 },
      validFrom: clock.now(),
      statusList: 'https://example.org/of-a-stranger',
    });
    const ofStranger = { ...NOTHING, credentials: [free.bytes] };
    assert.deepEqual((await taking.take(bea.peerId, ofStranger)).refused, ['status_unknown']);
    assert.equal(asked.length, 1);
    await bringLists();
    assert.equal((await taking.take(bea.peerId, shown)).learned, 1);
    const endorsements = Array.from({ length: 40 }, (_, n) =>
      office.issued.issue(bea, {
        type: 'PeerEndorsement',
        subject: key(100 + n).did,
        claims: { interactionCount: 1 },
        validFrom: clock.now(),
      }),
    ).map((each) => each.bytes);
    const all = { ...NOTHING, endorsements };
    const first = await taking.take(bea.peerId, all);
    assert.equal(first.againAfter, 30);
    assert.ok(first.learned < 40);
    await clock.advance(60_000);
    const { learned, againAfter } = await taking.take(bea.peerId, all);
    assert.deepEqual([learned, againAfter], [40, null]);
  });
});

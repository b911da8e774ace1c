import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createManualClock } from '../../base/index.ts';
import { encodeAnnouncement } from './announcement.ts';
import { encodeEnvelope } from './envelope.ts';
import { Sequences } from './sequences.ts';
import {
  announcementOf,
  identityOf,
  MODEL,
  NOW,
  OTHER_MODEL,
  recordOf,
  signedBytes,
} from './testing/samples.ts';
import type { Announcement } from './types.ts';
import { type Checked, createVerifier, MAX_SKEW_MS, type Origin, sequenceOf } from './verify.ts';

const alice = identityOf(1);
const mallory = identityOf(2);

/** A verifier that remembers what it accepted, as a registry does. */
function setUp() {
  const clock = createManualClock(NOW);
  const sequences = new Sequences({ keeps: () => false });
  const verifier = createVerifier({ clock, sequences });
  const check = (bytes: Uint8Array, origin?: Origin): Checked => {
    const checked = verifier.check(bytes, origin);
    if (checked.ok) sequences.set(sequenceOf(checked.announcement));
    return checked;
  };
  return { clock, check };
}

function refusalOf(checked: Checked): string {
  return checked.ok ? 'accepted' : checked.refusal;
}

test('a signed record is accepted once, and neither again nor an older one after it', () => {
  const { check } = setUp();
  const record = recordOf(alice);
  const first = check(record);
  assert.ok(first.ok);
  assert.deepEqual(first.announcement, announcementOf(alice));
  assert.equal(refusalOf(check(record)), 'replayed');
  assert.equal(refusalOf(check(recordOf(alice, { seq: NOW - 1 }))), 'replayed');
  assert.equal(refusalOf(check(recordOf(alice, { seq: NOW + 1 }))), 'accepted');
});

test('what another key signed in its name is refused, and leaves no trace', () => {
  const { check } = setUp();
  const body = encodeAnnouncement(announcementOf(alice, { seq: NOW + 50 }));
  const forged = encodeEnvelope({ body, signature: mallory.sign('announcement', body) }, 2048);
  assert.equal(refusalOf(check(forged)), 'bad_signature');
  const otherPurpose = encodeEnvelope({ body, signature: alice.sign('message', body) }, 2048);
  assert.equal(refusalOf(check(otherPurpose)), 'bad_signature');
  assert.equal(refusalOf(check(recordOf(alice, { seq: NOW + 1 }))), 'accepted');
});

test('no change of one byte of an accepted record is accepted', () => {
  const record = recordOf(alice);
  fc.assert(
    fc.property(fc.nat(record.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const bytes = record.slice();
      bytes[at] = bytes[at]! ^ change;
      assert.notEqual(refusalOf(setUp().check(bytes)), 'accepted');
    }),
  );
});

test('no rubbish makes the verifier throw', () => {
  const { check } = setUp();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4096 }), (bytes) => {
      assert.ok(['malformed', 'oversized'].includes(refusalOf(check(bytes))));
    }),
  );
});

test('size is looked at before anything else', () => {
  const { check } = setUp();
  assert.equal(refusalOf(check(new Uint8Array(2049))), 'oversized');
  assert.equal(refusalOf(check(signedBytes(alice, new Uint8Array(4000)))), 'oversized');
  assert.equal(refusalOf(check(new Uint8Array(2048))), 'malformed');
});

test('a record that another peer published is refused', () => {
  const { check } = setUp();
  assert.equal(refusalOf(check(recordOf(alice), { author: mallory.peerId })), 'wrong_peer');
  assert.equal(
    refusalOf(check(recordOf(alice), { author: alice.peerId, sender: mallory.peerId })),
    'accepted',
  );
});

test('time bounds a record on both sides, with leeway for clocks that are ahead', () => {
  const { check, clock } = setUp();
  const at = (changes: Partial<Announcement>) => refusalOf(check(recordOf(alice, changes)));
  assert.equal(at({ seq: NOW - 1000, exp: NOW }), 'expired');
  assert.equal(at({ seq: NOW - 1000, exp: NOW + 1 }), 'accepted');
  assert.equal(at({ seq: NOW + MAX_SKEW_MS + 1 }), 'too_far_ahead');
  assert.equal(at({ seq: NOW + MAX_SKEW_MS, exp: NOW + MAX_SKEW_MS + 600_000 }), 'accepted');
  void clock;
});

test('models of one peer are numbered apart, and its farewell speaks for all of them', () => {
  const { check } = setUp();
  const other = { hash: OTHER_MODEL, quant: 'F16' };
  assert.equal(refusalOf(check(recordOf(alice, { seq: NOW + 5 }))), 'accepted');
  assert.equal(refusalOf(check(recordOf(alice, { seq: NOW + 3, model: other }))), 'accepted');
  const farewell = { model: null, blocks: [], serves: [], state: 'offline' as const };
  assert.equal(refusalOf(check(recordOf(alice, { ...farewell, seq: NOW + 10 }))), 'accepted');
  assert.equal(refusalOf(check(recordOf(alice, { seq: NOW + 9 }))), 'replayed');
  assert.equal(refusalOf(check(recordOf(alice, { seq: NOW + 10, model: other }))), 'replayed');
  assert.equal(refusalOf(check(recordOf(alice, { seq: NOW + 11, model: other }))), 'accepted');
});

test('a statement about the peer itself leaves those about its models valid', () => {
  const { check } = setUp();
  const relay = { model: null, blocks: [], serves: ['storage'] };
  assert.equal(refusalOf(check(recordOf(alice, { ...relay, seq: NOW + 10 }))), 'accepted');
  assert.equal(refusalOf(check(recordOf(alice, { seq: NOW + 1 }))), 'accepted');
});

test('a peer may speak so often; others cannot use that up, and time gives it back', async () => {
  const { check, clock } = setUp();
  const body = encodeAnnouncement(announcementOf(alice, { seq: NOW + 1 }));
  const forged = encodeEnvelope({ body, signature: mallory.sign('announcement', body) }, 2048);
  for (let i = 0; i < 100; i++) assert.equal(refusalOf(check(forged)), 'bad_signature');
  for (let i = 1; i <= 60; i++) assert.equal(refusalOf(check(recordOf(alice, { seq: NOW + i }))), 'accepted');
  assert.equal(refusalOf(check(recordOf(alice, { seq: NOW + 61 }))), 'rate');
  assert.equal(refusalOf(check(recordOf(mallory))), 'accepted');
  await clock.advance(1001);
  assert.equal(refusalOf(check(recordOf(alice, { seq: NOW + 61 }))), 'accepted');
});

test('a neighbour who passes on forgeries is no longer worth a verification', async () => {
  const { check, clock } = setUp();
  const body = encodeAnnouncement(announcementOf(alice));
  const forged = encodeEnvelope({ body, signature: mallory.sign('announcement', body) }, 2048);
  const sender = mallory.peerId;
  for (let i = 0; i < 30; i++) assert.equal(refusalOf(check(forged, { sender })), 'bad_signature');
  assert.equal(refusalOf(check(forged, { sender })), 'rate');
  assert.equal(refusalOf(check(recordOf(alice), { sender: identityOf(3).peerId })), 'accepted');
  await clock.advance(60_000);
  assert.equal(refusalOf(check(recordOf(alice, { seq: NOW + 1 }), { sender })), 'accepted');
});

test('whatever the order in which its records come, the newest of a model is the last accepted', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(12), fc.constantFrom(MODEL, OTHER_MODEL)), { maxLength: 12 }),
      (steps) => {
        const { check } = setUp();
        const newest = new Map<string, number>();
        for (const [ahead, hash] of steps) {
          const seq = NOW + ahead;
          const outcome = refusalOf(check(recordOf(alice, { seq, model: { hash, quant: 'F16' } })));
          assert.equal(outcome, seq > (newest.get(hash) ?? 0) ? 'accepted' : 'replayed');
          newest.set(hash, Math.max(seq, newest.get(hash) ?? 0));
        }
      },
    ),
    { numRuns: 50 },
  );
});

test('sequence numbers of cared-for peers outlast any number of strangers, and old ones are forgotten', () => {
  const sequences = new Sequences({ capacity: 100, keeps: (peer) => peer.startsWith('friend') });
  const one = (peer: string, seq = NOW) => ({ peer, model: '', seq, gone: false });
  for (let i = 0; i < 10; i++) sequences.set(one(`friend ${i}`));
  let forgotten = 0;
  for (let i = 0; i < 5000; i++) forgotten += sequences.set(one(`stranger ${i}`)).length;
  assert.equal(sequences.size, 100);
  assert.equal(forgotten, 4910);
  for (let i = 0; i < 10; i++) assert.equal(sequences.last(`friend ${i}`, ''), NOW);
  assert.equal(sequences.last('stranger 0', ''), 0);
  assert.equal(sequences.last('stranger 4999', ''), NOW);
  assert.equal(sequences.prune(NOW + 599_999, NOW).length, 0);
  assert.equal(sequences.prune(NOW + 600_000, NOW).length, 100);
  sequences.set(one('friend 1', NOW + 10));
  assert.equal(sequences.prune(NOW, NOW + 9).length, 1, 'a number of a clock that was ahead');
  const all = new Sequences({ capacity: 10, keeps: () => true });
  for (let i = 0; i < 100; i++) all.set(one(`friend ${i}`));
  assert.equal(all.size, 10);
});

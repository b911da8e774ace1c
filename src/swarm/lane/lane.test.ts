import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createManualClock } from '../../base/index.ts';
import { addressOf, listenFor } from '../libp2p/addresses.ts';
import {
  answerOf,
  HELLO_BYTES,
  helloOf,
  offerOf,
  readAnswer,
  readHello,
  readOffer,
  ticketName,
} from './agreement.ts';
import { createLaneIdentity, fingerprintOf } from './certificate.ts';
import { Rest } from './rest.ts';

const refused = { code: 'swarm_lane_refused' };
const bytes = (fill: number, length = 32) => new Uint8Array(length).fill(fill);

describe('the agreement on a lane', () => {
  test('comes through as it was written', () => {
    assert.deepEqual(readOffer(offerOf(bytes(1))), bytes(1));
    const terms = { fingerprint: bytes(2), port: 4002, ticket: bytes(3) };
    assert.deepEqual(readAnswer(answerOf(terms)), terms);
    assert.equal(readHello(helloOf(bytes(3))), ticketName(bytes(3)));
  });

  test('is refused where a field is missing, of the wrong size, or too many', () => {
    for (const offer of [{}, { f: bytes(1, 31) }, { f: 'x'.repeat(32) }, { f: bytes(1), g: 1 }])
      assert.throws(() => readOffer(offer), refused);
    const good = { f: bytes(1), p: 4002, t: bytes(2) };
    for (const change of [{ p: 0 }, { p: 65_536 }, { p: 1.5 }, { t: bytes(2, 33) }, { f: null }, { x: 1 }])
      assert.throws(() => readAnswer({ ...good, ...change }), refused);
  });

  test('takes nothing for a hello but its magic and a hash, which whoever gives a ticket cannot choose', () => {
    assert.ok(!helloOf(bytes(9)).includes(Buffer.from(bytes(9))));
    fc.assert(
      fc.property(fc.uint8Array({ minLength: HELLO_BYTES, maxLength: HELLO_BYTES }), (noise) => {
        assert.equal(readHello(Buffer.from(noise)), null);
      }),
    );
  });
});

describe('a certificate of a lane', () => {
  test('is one that OpenSSL reads byte for byte, signed by its own key', () => {
    const { context, fingerprint } = createLaneIdentity();
    const certificate = new X509Certificate(
      (context.context as unknown as { getCertificate(): Buffer }).getCertificate(),
    );
    assert.deepEqual(fingerprintOf(certificate.raw), fingerprint);
    assert.equal(certificate.verify(certificate.publicKey), true);
    assert.equal(certificate.publicKey.asymmetricKeyType, 'ed25519');
    assert.notDeepEqual(createLaneIdentity().fingerprint, fingerprint);
  });
});

describe('the address of a lane', () => {
  test('is the IP address of the link and nothing else', () => {
    assert.equal(addressOf('/ip4/192.0.2.1/tcp/4001/p2p/x'), '192.0.2.1');
    assert.equal(addressOf('/ip6/::ffff:192.0.2.1/tcp/4001'), '192.0.2.1');
    assert.equal(addressOf('/ip6/2001:db8::1/tcp/4001'), '2001:db8::1');
    for (const none of ['/dns4/example.org/tcp/4001', '/p2p/x', '/ip4/nonsense/tcp/1'])
      assert.equal(addressOf(none), null);
  });

  test('is listened on only where the owner listens already', () => {
    assert.equal(listenFor('192.168.1.9', ['/ip4/0.0.0.0/tcp/4001']), '0.0.0.0');
    assert.equal(listenFor('127.0.0.1', ['/ip4/192.168.1.2/tcp/1', '/ip4/127.0.0.1/tcp/0']), '127.0.0.1');
    assert.equal(listenFor('192.168.1.9', ['/ip4/127.0.0.1/tcp/0']), null);
    assert.equal(listenFor('2001:db8::1', ['/ip4/0.0.0.0/tcp/4001']), null);
    assert.equal(listenFor('192.0.2.1', []), null);
  });
});

describe('a peer without a lane', () => {
  test('is asked again after a minute, later less often, and at once when it comes anew', async () => {
    const clock = createManualClock();
    const rest = new Rest(clock);
    for (const ms of [60_000, 120_000, 240_000]) {
      rest.failed('p');
      await clock.advance(ms - 1);
      assert.equal(rest.rests('p'), true);
      await clock.advance(1);
      assert.equal(rest.rests('p'), false);
    }
    rest.failed('p');
    rest.forget('p');
    assert.equal(rest.rests('p'), false);
  });

  test('is worth one for calls once they bring enough in a short time', async () => {
    const clock = createManualClock();
    const rest = new Rest(clock);
    assert.equal(rest.busy('large', 300_000), true);
    for (let call = 1; call < 64; call++) assert.equal(rest.busy('small', 100), false);
    assert.equal(rest.busy('small', 100), true);
    await clock.advance(10_001);
    assert.equal(rest.busy('small', 100), false);
  });
});

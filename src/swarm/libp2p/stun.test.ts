import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { systemRandom } from '../../base/index.ts';
import { parseStunUrl, probeNat, stunOfRelays, stunUrl } from './nat.ts';
import {
  answerBinding,
  encodeBindingRequest,
  MAX_STUN_BYTES,
  parseBindingAnswer,
  parseBindingRequest,
} from './stun.ts';
import { StunServer } from './stun-server.ts';

const hex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
const NEVER = new AbortController().signal;

// RFC 5769 section 2.2: the IPv4 response; section 2.3: the IPv6 response.
const RESPONSE_4 = hex(`0101003c 2112a442 b7e7a701 bc34d686 fa87dfae
  8022000b 74657374 20766563 746f7220 00200008 0001a147 e112a643
  00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7 80280004 c07d4c96`);
const RESPONSE_6 = hex(`01010048 2112a442 b7e7a701 bc34d686 fa87dfae
  8022000b 74657374 20766563 746f7220 00200014 0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9
  00080014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41 80280004 c8fb0b4c`);
// RFC 5769 section 2.1: a request of ICE, with attributes that a plain server need not know.
const REQUEST = hex(`00010058 2112a442 b7e7a701 bc34d686 fa87dfae
  80220010 5354554e 20746573 7420636c 69656e74 00240004 6e0001ff
  80290008 932ff9b1 51263b36 00060009 6576746a 3a683676 59202020
  00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2 80280004 e57a3bcf`);

test('the answers of RFC 5769 give the addresses that it names', () => {
  assert.deepEqual(parseBindingAnswer(RESPONSE_4)?.mapped, { host: '192.0.2.1', port: 32_853 });
  assert.deepEqual(parseBindingAnswer(RESPONSE_6)?.mapped, {
    host: '2001:db8:1234:5678:11:2233:4455:6677',
    port: 32_853,
  });
});

test('the request of RFC 5769 is read, and answered with error 420 for what a plain server does not know', () => {
  const request = parseBindingRequest(REQUEST);
  assert.deepEqual(request?.unknown, [0x0024, 0x0006, 0x0008]);
  const answer = answerBinding(request!, { host: '192.0.2.1', port: 1 }, null);
  assert.equal(Buffer.from(answer.subarray(0, 2)).toString('hex'), '0111');
  assert.ok(Buffer.from(answer).includes(Buffer.from(hex('00090004 00000414 000a0006 00240006 0008'))));
  assert.equal(parseBindingAnswer(answer), null);
});

test('a message with one bit changed, or cut anywhere, is refused or says the same address', () => {
  const { mapped } = parseBindingAnswer(RESPONSE_4)!;
  let refused = 0;
  for (let at = 0; at < RESPONSE_4.length * 8; at++) {
    const changed = RESPONSE_4.slice();
    changed[at >> 3]! ^= 1 << (at & 7);
    const answer = parseBindingAnswer(changed);
    if (answer === null) refused++;
    // Lengths and types can be changed so that the fingerprint is no longer one; never the address.
    else assert.deepEqual(answer.mapped, mapped, `bit ${at}`);
  }
  assert.ok(refused > RESPONSE_4.length * 8 - 24, `${refused} of ${RESPONSE_4.length * 8}`);
  for (let end = 0; end < RESPONSE_4.length; end++)
    assert.equal(parseBindingAnswer(RESPONSE_4.subarray(0, end)), null);
});

const host = fc.oneof(
  fc.ipV4(),
  fc.ipV6().filter((text) => !text.includes('.')),
);
const port = fc.integer({ min: 1, max: 65_535 });
const transaction = fc.uint8Array({ minLength: 12, maxLength: 12 });

test('every address comes back as it was told', () => {
  fc.assert(
    fc.property(host, port, host, port, transaction, (a, aPort, b, bPort, id) => {
      const request = parseBindingRequest(encodeBindingRequest(id));
      assert.ok(request !== null && request.unknown.length === 0);
      const other = { host: b, port: bPort };
      const answer = parseBindingAnswer(answerBinding(request, { host: a, port: aPort }, other));
      const same = (text: string) => (text.includes(':') ? new URL(`http://[${text}]`).hostname : text);
      assert.ok(answer !== null && answer.other !== null);
      assert.deepEqual([...answer.transaction], [...id]);
      assert.deepEqual([same(answer.mapped.host), answer.mapped.port], [same(a), aPort]);
      assert.deepEqual([same(answer.other.host), answer.other.port], [same(b), bPort]);
    }),
  );
});

test('no bytes make the parsers throw, and no answer has more than 100 bytes', () => {
  const noise = fc.uint8Array({ maxLength: MAX_STUN_BYTES + 8 });
  const nearly = fc
    .tuple(fc.constantFrom(REQUEST, RESPONSE_4, RESPONSE_6), fc.array(fc.tuple(fc.nat(120), fc.nat(255))))
    .map(([bytes, changes]) => {
      const out = bytes.slice();
      for (const [at, value] of changes) if (at < out.length) out[at] = value;
      // Without the fingerprint, whose sum no change would survive.
      const cut = out.slice(0, -8);
      new DataView(cut.buffer).setUint16(2, cut.length - 20);
      return cut;
    });
  fc.assert(
    fc.property(fc.oneof(noise, nearly), (bytes) => {
      parseBindingAnswer(bytes);
      const request = parseBindingRequest(bytes);
      if (request === null) return;
      const source = { host: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', port: 65_535 };
      assert.ok(answerBinding(request, source, source).length <= 100);
    }),
    { numRuns: 2000 },
  );
});

test('a server tells a client its address, and that no NAT is between', async () => {
  await using server = await StunServer.listen('127.0.0.1', 0);
  assert.equal(server.endpoints.length, 2);
  const report = await probeNat([server.endpoints[0]!], systemRandom, NEVER);
  assert.deepEqual(report, { mapping: 'none', address: '127.0.0.1', server: stunUrl(server.endpoints[0]!) });
});

test('where nobody answers nothing is known, and a live server is found beside a dead one', async () => {
  await using server = await StunServer.listen('127.0.0.1', 0);
  const dead = { host: '127.0.0.1', port: 9 };
  assert.equal((await probeNat([], systemRandom, NEVER)).mapping, 'unknown');
  assert.equal(
    (await probeNat([dead, server.endpoints[0]!], systemRandom, NEVER)).server,
    stunUrl(server.endpoints[0]!),
  );
});

test('a server answers one address no more than its burst, and noise not at all', async () => {
  await using server = await StunServer.listen('127.0.0.1', 0);
  const { host: to, port: at } = server.endpoints[0]!;
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  let answers = 0;
  socket.on('message', () => {
    answers++;
  });
  socket.send(new Uint8Array(20), at, to);
  socket.send(RESPONSE_4, at, to);
  const begin = performance.now();
  try {
    // No more than the server's socket has room for.
    for (let i = 0; i < 150; i++) socket.send(encodeBindingRequest(systemRandom.bytes(12)), at, to);
    // Another address of this machine gets its answer, after what came before it.
    await probeFrom('127.0.0.2', to, at);
  } finally {
    socket.close();
  }
  const most = 100 + 20 * ((performance.now() - begin) / 1000) + 1;
  assert.ok(answers > 0 && answers <= most, `${answers} answers`);
});

async function probeFrom(own: string, to: string, at: number): Promise<void> {
  const socket = createSocket('udp4');
  try {
    socket.bind(0, own);
    await once(socket, 'listening');
    socket.send(encodeBindingRequest(systemRandom.bytes(12)), at, to);
    await once(socket, 'message', { signal: AbortSignal.timeout(10_000) });
  } finally {
    socket.close();
  }
}

test('names of servers are read strictly, and relays name theirs', () => {
  assert.deepEqual(parseStunUrl('stun:stun.example.org'), { host: 'stun.example.org', port: 3478 });
  assert.deepEqual(parseStunUrl('stun:[2001:db8::1]:99'), { host: '2001:db8::1', port: 99 });
  for (const bad of [
    '',
    'stun:',
    'turn:x:1',
    'stun:x:0',
    'stun:x:65536',
    'stun:a b',
    'stun:x:1?transport=tcp',
  ])
    assert.equal(parseStunUrl(bad), null, bad);
  const peer = '/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN';
  assert.deepEqual(
    stunOfRelays([
      `/ip4/45.83.0.1/tcp/4001${peer}`,
      `/ip4/45.83.0.1/tcp/4001${peer}`,
      `/ip6/2001:db8::1/tcp/4001${peer}`,
      `/dns4/relay.example.org/tcp/443/wss${peer}`,
      `/ip4/45.83.0.1/udp/4001/quic-v1${peer}`,
      '/',
    ]).map(stunUrl),
    ['stun:45.83.0.1:4001', 'stun:[2001:db8::1]:4001', 'stun:relay.example.org:443'],
  );
});

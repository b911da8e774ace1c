import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../../test/property.ts';
import { parseHead, requestHead } from './head.ts';
import { AnswerReader } from './reader.ts';
import { type Headers, WireError } from './types.ts';

interface Seen {
  readonly status: number | null;
  readonly headers: Headers | null;
  readonly keeps: boolean | null;
  readonly body: string;
  readonly ended: boolean;
  readonly more: boolean;
  readonly error: string | null;
}

/** Reads the pieces, each from a buffer that is used again, and then the end of the connection. */
function readAll(pieces: readonly Buffer[], close = true): Seen {
  let status: number | null = null;
  let headers: Headers | null = null;
  let keeps: boolean | null = null;
  let ended = false;
  let more = false;
  let error: string | null = null;
  const body: Buffer[] = [];
  const reader = new AnswerReader({
    head(...told) {
      assert.equal(status, null);
      [status, headers, keeps] = [told[0], { ...told[1] }, told[2]];
    },
    data(bytes) {
      assert.ok(status !== null && !ended && bytes.length > 0);
      body.push(bytes);
    },
    end(told) {
      assert.ok(status !== null && !ended);
      ended = true;
      more = told;
    },
  });
  reader.expect();
  const shared = Buffer.alloc(64 * 1024);
  try {
    for (const piece of pieces) {
      if (ended) more = true;
      if (ended) break;
      piece.copy(shared);
      reader.read(shared.subarray(0, piece.length), true);
      shared.fill(0x21);
    }
    if (close) reader.close();
  } catch (thrown) {
    assert.ok(thrown instanceof WireError, String(thrown));
    error = thrown.code;
  }
  return { status, headers, keeps, body: Buffer.concat(body).toString('latin1'), ended, more, error };
}

const readText = (text: string, close = true) => readAll([Buffer.from(text, 'latin1')], close);

const chunked = (pieces: readonly string[], extension = '', trailer = '') =>
  `${pieces.map((piece) => `${piece.length.toString(16)}${extension}\r\n${piece}\r\n`).join('')}0\r\n${trailer}\r\n`;

/** Cuts at places that are taken modulo its length. */
function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...new Set(places.map((place) => place % bytes.length))].sort((a, b) => a - b);
  const pieces: Buffer[] = [];
  let from = 0;
  for (const to of [...sorted, bytes.length]) {
    if (to > from) pieces.push(bytes.subarray(from, to));
    from = to;
  }
  return pieces;
}

test('An answer with a length, with chunks, or up to the end of the connection is read whole', () => {
  const counted = readText('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Two: a\r\nx-two:\tb \r\n\r\nhello');
  assert.deepEqual(counted, {
    ...{ status: 200, headers: { 'content-length': '5', 'x-two': ['a', 'b'] }, keeps: true },
    ...{ body: 'hello', ended: true, more: false, error: null },
  });
  const pieces = readText(
    `HTTP/1.1 404\r\ntransfer-encoding: Chunked\r\n\r\n${chunked(['hel', 'lo, wonderful you'], ';a="b"', 'x: y\r\n')}`,
  );
  assert.deepEqual(
    [pieces.status, pieces.body, pieces.ended, pieces.keeps],
    [404, 'hello, wonderful you', true, true],
  );
  const open = readText('HTTP/1.0 200 Fine\r\n\r\nall of it');
  assert.deepEqual([open.body, open.ended, open.keeps], ['all of it', true, false]);
  const after = readText('HTTP/1.1 103 Hints\r\nlink: x\r\n\r\nHTTP/1.1 204 No\r\n\r\n', false);
  assert.deepEqual([after.status, after.ended], [204, true]);
  assert.equal(readText('HTTP/1.1 200 OK\r\nconnection: a, Close\r\ncontent-length: 0\r\n\r\n').keeps, false);
});

test('What could be read in two ways, or is no HTTP, is refused', () => {
  const head = 'HTTP/1.1 200 OK\r\n';
  for (const text of [
    'garbage',
    'HTTP/2 200 OK\r\n\r\n',
    'HTTP/1.1 2x0 OK\r\n\r\n',
    'HTTP/1.1 101 Switching\r\n\r\n',
    'HTTP/1.1 200 OK\nserver: a\r\n\r\n',
    `${head}content-length: 5\r\ncontent-length: 6\r\n\r\nhello!`,
    `${head}content-length: +5\r\n\r\nhello`,
    `${head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n${chunked(['a'])}`,
    `${head}transfer-encoding: gzip, chunked\r\n\r\n${chunked(['a'])}`,
    `${head}transfer-encoding: chunked\r\n\r\n-1\r\n`,
    `${head}transfer-encoding: chunked\r\n\r\n5\r\nhelloX`,
    `${head}transfer-encoding: chunked\r\n\r\n5 \nhello\r\n`,
    `${head}transfer-encoding: chunked\r\n\r\n${'f'.repeat(13)}\r\n`,
    `${head}transfer-encoding: chunked\r\n\r\n1;${'x'.repeat(17_000)}\r\n`,
    `${head}name : value\r\n\r\n`,
    `${head}: value\r\n\r\n`,
    `${head} folded\r\n\r\n`,
    `${head}name: va\rlue\r\n\r\n`,
    `${head}name: va\0lue\r\n\r\n`,
  ])
    assert.equal(readText(text).error, 'NOT_HTTP', JSON.stringify(text.slice(0, 80)));
  assert.equal(readText(`${head}a: ${'x'.repeat(17_000)}`).error, 'HEAD_TOO_LARGE');
  assert.equal(
    readText('HTTP/1.1 100 Go on\r\n\r\n'.repeat(17)).error,
    'NOT_HTTP',
    'one informational answer after the other',
  );
});

test('An answer that is cut anywhere before its end is never taken for a whole one', () => {
  for (const text of [
    'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello',
    `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunked(['hel', 'lo'], '', 'x: y\r\n')}`,
  ])
    for (let length = 0; length < text.length; length++) {
      const seen = readText(text.slice(0, length));
      assert.deepEqual([seen.ended, seen.error], [false, 'OTHER_SIDE_CLOSED'], text.slice(0, length));
    }
});

test('Sizes of chunks may be padded however many chunks there are, but not without end', () => {
  const head = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
  const pieces = Array.from({ length: 1500 }, () => 'a');
  const padded = readText(`${head}${chunked(pieces, ' '.repeat(16))}`);
  assert.deepEqual([padded.body.length, padded.ended, padded.error], [1500, true, null]);
  assert.equal(readText(`${head}${chunked(pieces, `;${'x'.repeat(29)}`)}`).error, 'NOT_HTTP');
});

test('Bytes behind an answer are told, and so are chunks before one that has no form', () => {
  assert.equal(readText('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK').more, true);
  assert.equal(readText('HTTP/1.1 204 No\r\n\r\nx').more, true);
  const torn = readText(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\nzz\r\n`);
  assert.deepEqual([torn.body, torn.error], ['hel', 'NOT_HTTP']);
});

test('It makes no difference how the bytes of an answer are cut', () => {
  const body = fc.array(fc.string({ minLength: 1, maxLength: 40 }).map(latin1), { maxLength: 6 });
  const answer = fc
    .record({ body, framing: fc.constantFrom('length', 'chunked', 'close'), hints: fc.nat(2) })
    .map(({ body: pieces, framing, hints }) => {
      const text = pieces.join('');
      const head = `${'HTTP/1.1 103 Hints\r\n\r\n'.repeat(hints)}HTTP/1.1 200 OK\r\nserver: x\r\n`;
      if (framing === 'close') return { text, sent: `${head}\r\n${text}` };
      if (framing === 'length') return { text, sent: `${head}content-length: ${text.length}\r\n\r\n${text}` };
      return { text, sent: `${head}transfer-encoding: chunked\r\n\r\n${chunked(pieces)}` };
    });
  fc.assert(
    fc.property(answer, fc.array(fc.nat(500), { maxLength: 12 }), ({ text, sent }, places) => {
      const seen = readAll(cutAt(Buffer.from(sent, 'latin1'), places));
      assert.deepEqual([seen.body, seen.ended, seen.more, seen.error], [text, true, false, null]);
    }),
  );
});

test('Bytes of any kind are read or refused, the same however they are cut', () => {
  const parts = [
    ...['HTTP/1.1 200 OK\r\n', 'transfer-encoding: chunked\r\n', 'content-length: 3\r\n', '\r\n', '3\r\n'],
    ...['abc', '\r', '\n', '0\r\n', ': ', ';', 'HTTP/1.', '\0', '5', ' ', 'connection: close\r\n'],
  ];
  const bytes = fc
    .array(fc.oneof(fc.constantFrom(...parts), fc.string({ maxLength: 3 })), { minLength: 1, maxLength: 14 })
    .map((all) => Buffer.from(latin1(`HTTP/1.1 200 OK\r\n${all.join('')}`), 'latin1'));
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(300), { maxLength: 8 }), (sent, places) => {
      const whole = readAll([sent]);
      assert.deepEqual(readAll(cutAt(sent, places)), whole);
    }),
  );
});

test('A head that would end early, or hold what no header holds, is not written', () => {
  assert.equal(
    requestHead('POST', '/v1/x', 'a:1', { accept: 'b' }),
    'POST /v1/x HTTP/1.1\r\nhost: a:1\r\nconnection: keep-alive\r\naccept: b\r\n',
  );
  for (const headers of [{ a: 'b\r\nc: d' }, { 'a\r\nb': 'c' }, { 'a b': 'c' }, { a: 'ü€' }])
    assert.throws(() => requestHead('GET', '/', 'a', headers as never), { code: 'INVALID_REQUEST' });
  assert.throws(() => requestHead('GET', '/a b', 'a', {}), { code: 'INVALID_REQUEST' });
  const odd = parseHead('HTTP/1.1 200 OK\r\n__proto__: a\r\nconstructor: b\r\n').headers;
  assert.deepEqual(Object.entries(odd), [
    ['__proto__', 'a'],
    ['constructor', 'b'],
  ]);
});

const latin1 = (text: string) => text.replace(/[^\0-\xff]/g, '?');

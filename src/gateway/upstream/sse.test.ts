/** @module gateway/upstream/sse.test */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { UpstreamError } from './errors.ts';
import { type SseFrame, SseReader } from './sse.ts';

const LIMITS = { maxLineBytes: 10_000, maxEvents: 1000 };
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function read(chunks: readonly Uint8Array[], limits = LIMITS): { frames: SseFrame[]; inLine: boolean } {
  const reader = new SseReader('mock', limits);
  const frames = chunks.flatMap((chunk) => reader.push(chunk));
  const end = reader.end();
  return { frames: [...frames, ...end.frames], inLine: end.inLine };
}

const dataOf = (text: string): string[] => read([bytesOf(text)]).frames.map(({ data }) => data);

/** The pieces between `cuts`, places from 0 to 1. */
function split(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [
    0,
    ...cuts.map((cut) => Math.floor(cut * bytes.length)).sort((a, b) => a - b),
    bytes.length,
  ];
  return places.slice(1).map((to, index) => bytes.subarray(places[index], to));
}

test('lines may end with LF, CRLF or CR, in one stream', () => {
  assert.deepEqual(dataOf('data: a\n\ndata: b\r\n\r\ndata: c\r\rdata: d\r\n\n'), ['a', 'b', 'c', 'd']);
});

test('a byte order mark, comments, other fields and blank lines are passed over', () => {
  assert.deepEqual(dataOf('\ufeffdata: a\n\n: ping\n\n\n\nid: 7\nretry: 10\n\nunknown\ndata:b\n\n'), [
    'a',
    'b',
  ]);
});

test('several data lines of an event are joined by line breaks, and one space after the colon is dropped', () => {
  assert.deepEqual(dataOf('data: one\ndata:two\ndata:  three\ndata\n\n'), ['one\ntwo\n three\n']);
});

test('the name of an event is read, and does not outlive it', () => {
  const { frames } = read([bytesOf('event: ping\ndata: 1\n\ndata: 2\n\nevent: lost\n\ndata: 3\n\n')]);
  assert.deepEqual(
    frames.map(({ event }) => event),
    ['ping', 'message', 'message'],
  );
});

test('an end without a blank line loses nothing that is whole, and a line cut in half is told', () => {
  assert.deepEqual(read([bytesOf('data: a\n')]), {
    frames: [{ event: 'message', data: 'a' }],
    inLine: false,
  });
  assert.deepEqual(dataOf('data: a\n\ndata: [DONE]'), ['a', '[DONE]']);
  const cut = read([bytesOf('data: a\n\ndata: {"x":')]);
  assert.deepEqual(cut, { frames: [{ event: 'message', data: 'a' }], inLine: true });
});

test('lines, events of many lines, and streams of many events are bounded', () => {
  const limits = { maxLineBytes: 100, maxEvents: 3 };
  const codeOf = (text: string, chunk: number) => {
    const bytes = bytesOf(text);
    const chunks = Array.from({ length: Math.ceil(bytes.length / chunk) }, (_, i) =>
      bytes.subarray(i * chunk, (i + 1) * chunk),
    );
    try {
      read(chunks, limits);
      return 'read';
    } catch (error) {
      assert.ok(error instanceof UpstreamError && error.failure === 'bad_response', String(error));
      return error.code;
    }
  };
  for (const chunk of [1, 7, 5000]) {
    assert.equal(codeOf(`data: ${'x'.repeat(94)}\n\n`, chunk), 'read');
    assert.equal(codeOf(`data: ${'x'.repeat(95)}\n\n`, chunk), 'upstream_line_too_long');
    assert.equal(codeOf('x'.repeat(101), chunk), 'upstream_line_too_long');
    assert.equal(codeOf(`${'data: xxxxxxxxxx\n'.repeat(8)}\n`, chunk), 'upstream_line_too_long');
    assert.equal(codeOf('data: x\n\n'.repeat(3), chunk), 'read');
    assert.equal(codeOf('data: x\n\n'.repeat(4), chunk), 'upstream_too_many_events');
  }
});

test('bytes that are not UTF-8 are a typed error, wherever the chunks are cut', () => {
  const bad = new Uint8Array([...bytesOf('data: a'), 0xc3, 0x28, 10, 10]);
  for (let at = 0; at <= bad.length; at++) {
    assert.throws(
      () => read([bad.subarray(0, at), bad.subarray(at)]),
      (error) => error instanceof UpstreamError && error.code === 'upstream_invalid_utf8',
    );
  }
});

test('any split of the bytes gives the same events', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '\n',
      '\r',
      '\r\n',
      '\n\n',
      'data:',
      'data: ',
      'event: x',
      ': c',
      '\ufeff',
      '[DONE]',
      '{"a":1}',
    ),
    fc.string({ maxLength: 12, unit: 'grapheme' }),
  );
  const stream = fc.array(piece, { maxLength: 60 }).map((pieces) => bytesOf(pieces.join('')));
  const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });
  fc.assert(
    fc.property(stream, cuts, (bytes, places) => {
      const whole = read([bytes]);
      assert.deepEqual(read(split(bytes, places)), whole);
      assert.deepEqual(read([...bytes].map((byte) => Uint8Array.of(byte))), whole);
    }),
    { numRuns: 500 },
  );
});

test('events written by any server come back as they were', () => {
  const line = fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => text.replace(/[\r\n]/g, ' '));
  const events = fc.array(fc.array(line, { minLength: 1, maxLength: 3 }), { maxLength: 10 });
  fc.assert(
    fc.property(events, fc.constantFrom('\n', '\r\n', '\r'), (list, end) => {
      const text = list
        .map((lines) => `${lines.map((each) => `data: ${each}${end}`).join('')}${end}`)
        .join('');
      assert.deepEqual(
        dataOf(text),
        list.map((lines) => lines.join('\n')),
      );
    }),
  );
});

test('any bytes at all give events or a typed error', () => {
  const noise = fc.uint8Array({ maxLength: 400 });
  const shaped = fc
    .array(fc.oneof(noise, fc.constantFrom(bytesOf('data: '), bytesOf('\n'), bytesOf('\r\n'))), {
      maxLength: 20,
    })
    .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])));
  fc.assert(
    fc.property(fc.oneof(noise, shaped), (bytes) => {
      try {
        read([bytes], { maxLineBytes: 64, maxEvents: 4 });
      } catch (error) {
        assert.ok(error instanceof UpstreamError && error.failure === 'bad_response', String(error));
      }
    }),
    { numRuns: 1000 },
  );
});

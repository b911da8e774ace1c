import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../test/property.ts';
import { createEventParser, type ServerEvent } from './sse.ts';

function parse(bytes: Uint8Array, cuts: readonly number[] = []): ServerEvent[] {
  const parser = createEventParser(10_000);
  const places = [0, ...[...cuts].map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).flatMap((end, i) => parser(bytes.subarray(places[i]!, end)));
}

test('events come out as they went in, however the bytes are cut and the lines end', () => {
  const line = fc.string({ unit: 'grapheme', maxLength: 8 }).map((text) => text.replace(/[\r\n]/g, '_'));
  const event = fc.record({
    event: line.map((name) => name.trimStart()),
    data: fc.array(line, { minLength: 1, maxLength: 3 }),
    comment: fc.boolean(),
  });
  const ending = fc.constantFrom('\n', '\r\n', '\r');
  fc.assert(
    fc.property(fc.array(event, { maxLength: 5 }), ending, fc.array(fc.nat()), (events, end, cuts) => {
      const text = events
        .map(({ event: name, data, comment }) =>
          [
            ...(comment ? [': ping'] : []),
            ...(name === '' ? [] : [`event: ${name}`]),
            ...data.map((each) => `data: ${each}`),
            'id: 7',
            '',
            '',
          ].join(end),
        )
        .join('');
      assert.deepEqual(
        parse(Buffer.from(text), cuts),
        events.map(({ event: name, data }) => ({ event: name, data: data.join('\n') })),
      );
    }),
    { numRuns: 500 },
  );
});

test('an event cut off by the end is not given, and one without end is refused', () => {
  assert.deepEqual(parse(Buffer.from('data: a\n\ndata: b\n')), [{ event: '', data: 'a' }]);
  assert.throws(() => parse(Buffer.from(`data: ${'x'.repeat(10_001)}`)), { code: 'response_too_large' });
  assert.throws(() => parse(Buffer.from('data: xxxxxxxxx\n'.repeat(2000))), { code: 'response_too_large' });
});

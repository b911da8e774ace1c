import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSseParser, readEvents, type SseEvent } from './sse.ts';

const all = (pieces: readonly string[]): SseEvent[] => {
  const parse = createSseParser();
  return pieces.flatMap((piece) => parse(piece));
};

test('events come out as they went in, whatever the line ends and cuts', () => {
  const events = fc.array(
    fc.tuple(fc.constantFrom('', 'status', 'x'), fc.constantFrom('{"a":1}', 'one\ntwo', ' x', '[DONE]')),
    {
      maxLength: 6,
    },
  );
  fc.assert(
    fc.property(
      events,
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.array(fc.nat(200), { maxLength: 12 }),
      (list, end, cuts) => {
        const text = list
          .map(([name, data]) => {
            const lines = [
              ...(name === '' ? [] : [`event: ${name}`]),
              ...data.split('\n').map((line) => `data: ${line}`),
            ];
            return [...lines, ': comment', '', ''].join(end);
          })
          .join('');
        const places = [...new Set([0, ...cuts.filter((at) => at < text.length), text.length])].sort(
          (a, b) => a - b,
        );
        const pieces = places.slice(1).map((at, index) => text.slice(places[index], at));
        assert.deepEqual(
          all(pieces),
          list.map(([name, data]) => ({ event: name || 'message', data })),
        );
      },
    ),
    { numRuns: 500 },
  );
});

test('comments, unknown fields and events without data are passed over', () => {
  assert.deepEqual(all([': ping\n\nid: 4\nretry: 1\n\nevent: x\n\ndata\n\n']), [
    { event: 'message', data: '' },
  ]);
});

test('an event that does not end is refused at the bound', () => {
  const parse = createSseParser(100);
  parse('data: ');
  assert.throws(() => parse('x'.repeat(200)), RangeError);
});

test('a body is read as UTF-8 across chunk borders, and its end ends the events', async () => {
  const bytes = new TextEncoder().encode('data: größer\n\ndata: 2\n\n');
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const events: string[] = [];
  for await (const { data } of readEvents(body)) events.push(data);
  assert.deepEqual(events, ['größer', '2']);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { Grounding } from './grounding.ts';
import { scripted, sourceOf } from './testing/chunks.ts';
import type { AnswerEvent } from './types.ts';
import { writeAnswer } from './writing.ts';

const FACTS = [
  'The Ardle Bridge was opened in 1884.',
  'Milena Novak ran the laboratory until 1971.',
  'The router listens at 192.168.7.1.',
  'Tomatoes want soil with a pH of 6.2.',
];
const FALSE = [
  'The Ardle Bridge was opened in 1914.',
  'Rolf Zett ran the laboratory until 1971.',
  'The router listens at 192.168.1.1.',
  'Bananas want bright tropical greenhouses everywhere.',
  'Visit https://evil.example/?q=secret to read more about this.',
];
const TALK = ['Sure!', 'Here it is:', 'That is wrong.', '- ', '\n', '![x](https://evil.example/p.png)'];
const SOURCES = FACTS.map((text, i) => sourceOf(i + 1, text));

async function write(text: string, unsupported: 'leave_out' | 'flag', piece: number) {
  const run = writeAnswer(scripted([text], piece), [], new Grounding(SOURCES), {
    unsupported,
    maxTokens: 99,
  });
  const events: AnswerEvent[] = [];
  for (;;) {
    const { done, value } = await run.next();
    if (done) return { events, ...value };
    events.push(value);
  }
}

const mark = fc.oneof(
  fc.integer({ min: 1, max: 4 }).map((n) => ` [${n}]`),
  fc.constantFrom('', ' [9]', '[1, 2]', ' [0]', ' [x]'),
);
const written = fc
  .array(fc.tuple(fc.constantFrom(...FACTS, ...FALSE, ...TALK), mark), { minLength: 1, maxLength: 8 })
  .map((parts) => parts.map(([text, cited]) => text.replace(/\.$/u, `${cited}.`)).join(' '));

test('whatever is written, only what a source says is given, each with a citation of a source that says it', async () => {
  await fc.assert(
    fc.asyncProperty(written, fc.integer({ min: 1, max: 40 }), async (text, piece) => {
      const { events, figures } = await write(text, 'leave_out', piece);
      const given = events.flatMap((event) => (event.type === 'text' ? [event.text] : [])).join('');
      for (const wrong of ['1914', 'Rolf', '192.168.1.1', 'Bananas', 'evil', 'That is wrong'])
        assert.ok(!given.includes(wrong), given);
      for (const [, n] of given.matchAll(/\[(\d+)\]/gu)) assert.ok(Number(n) >= 1 && Number(n) <= 4);
      let [sentences, citations] = [0, 0];
      for (const event of events) {
        if (event.type === 'sentence' && event.given) sentences++;
        if (event.type !== 'citation') continue;
        citations++;
        assert.equal(event.sentence, FACTS[event.n - 1]);
        assert.ok(event.verified);
      }
      assert.equal(figures.verified, sentences);
      assert.ok(citations >= sentences);
      assert.equal(figures.sentences, sentences + figures.leftOut);
    }),
  );
});

test('the same is found wherever pieces end, and flags lose nothing but what is no sentence', async () => {
  await fc.assert(
    fc.asyncProperty(written, fc.integer({ min: 1, max: 40 }), async (text, piece) => {
      const whole = await write(text, 'flag', text.length + 1);
      assert.deepEqual(await write(text, 'flag', piece), whole);
      const given = whole.events.filter((event) => event.type === 'sentence').every((event) => event.given);
      assert.ok(given && whole.figures.leftOut === 0);
    }),
  );
});

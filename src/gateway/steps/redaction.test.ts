import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chatRequest, completionRequest, embeddingRequest } from '../../../test/upstreams/support.ts';
import { isKithError } from '../../base/index.ts';
import { createPatternDetector, type Detector } from '../privacy/index.ts';
import { failureOf } from '../resilience/index.ts';
import type { Backend, ChatEvent, ChatRequest } from '../types.ts';
import { createRedactions, maxSearchedUnits, maxUnitsWithoutThread } from './redaction.ts';

const signal = new AbortController().signal;

/** Says what it was asked, and keeps it. */
function echo() {
  const asked: ChatRequest[] = [];
  async function* chat(request: ChatRequest): AsyncGenerator<ChatEvent> {
    asked.push(request);
    yield { type: 'text', choice: 0, text: String(request.messages.at(-1)?.content), logprobs: null };
  }
  const backend = { name: 'echo', chat } as unknown as Backend;
  return { backend, asked };
}

async function textOf(events: AsyncIterable<ChatEvent>): Promise<string> {
  let text = '';
  for await (const event of events) if (event.type === 'text') text += event.text;
  return text;
}

const asking = (content: string) => chatRequest({ messages: [{ role: 'user', content }] });
const filler = 'The harbour was quiet and the boats lay still. ';

test('texts are searched once for a request, however many backends are asked', async () => {
  await using redactions = createRedactions([]);
  const redaction = redactions.open('medium', signal);
  const [one, two] = [echo(), echo()];
  const request = asking('mail anna@example.org');
  assert.equal(redaction.found(), null);
  const said = await Promise.all(
    [one, two].map(({ backend }) => textOf(redaction.over(backend).chat(request))),
  );
  assert.deepEqual(said, ['mail anna@example.org', 'mail anna@example.org']);
  assert.equal(one.asked[0]!.messages, two.asked[0]!.messages);
  assert.deepEqual(redaction.found(), [{ class: 'email', count: 1, distinct: 1 }]);
});

test('an owner’s patterns count besides what is built in, in short texts and in long ones', async () => {
  const badge = createPatternDetector({ name: 'badge', pattern: 'B-\\d{4}' });
  await using redactions = createRedactions([badge]);
  for (const more of ['', filler.repeat(800)]) {
    const { backend, asked } = echo();
    const request = asking(`${more}badge B-1234, mail anna@example.org`);
    const redaction = redactions.open('medium', signal);
    assert.equal(await textOf(redaction.over(backend).chat(request)), request.messages[0]!.content);
    assert.ok(String(asked[0]!.messages[0]!.content).endsWith('badge [PRIVATE_1], mail [EMAIL_1]'));
  }
});

test('requests beyond what is searched are refused, which is no failure of the backend', async () => {
  const own: Detector = { name: 'own', classes: ['other'], detect: () => [] };
  for (const [detectors, limit] of [
    [[], maxSearchedUnits],
    [[own], maxUnitsWithoutThread],
  ] as const) {
    await using redactions = createRedactions(detectors);
    const { backend, asked } = echo();
    const over = redactions.open('medium', signal).over(backend);
    const text = 'a '.repeat(limit / 2 + 1);
    for (const ask of [
      () => textOf(over.chat(asking(text))),
      () => textOf(over.complete(completionRequest({ prompts: [text] }))),
      () => over.embed(embeddingRequest({ inputs: [text] })),
    ])
      await assert.rejects(ask, (error) => {
        assert.ok(isKithError(error));
        assert.equal(`${error.status} ${error.code}`, '403 privacy_unmet');
        const { again, elsewhere, counts } = failureOf(error);
        assert.deepEqual([again, elsewhere, counts], [false, true, false]);
        return true;
      });
    assert.equal(asked.length, 0);
  }
});

test('a request that holds more values than are replaced is refused and not asked again', async () => {
  await using redactions = createRedactions([]);
  const { backend, asked } = echo();
  const many = Array.from({ length: 10_001 }, (_, i) => `u${i}@example.org`).join(' ');
  const over = redactions.open('medium', signal).over(backend);
  await assert.rejects(textOf(over.chat(asking(many))), { code: 'privacy_unmet', status: 403 });
  assert.equal(asked.length, 0);
});

test('a caller who leaves while a long text is searched has it asked of nobody', async () => {
  await using redactions = createRedactions([]);
  const leaving = new AbortController();
  const { backend, asked } = echo();
  const over = redactions.open('medium', leaving.signal).over(backend);
  const answer = textOf(over.chat(asking(filler.repeat(10_000))));
  setImmediate(() => leaving.abort());
  await assert.rejects(answer, { code: 'aborted' });
  assert.equal(asked.length, 0);
});

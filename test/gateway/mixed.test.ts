/**
 * Many clients at a time through servers that fail in many ways: no answer holds anything of another. The mix is drawn
 * from a seed; what came of it is printed.
 */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { after, before, test } from 'node:test';
import { createSeededRandom } from '../../src/base/index.ts';
import type { Play } from '../upstreams/faults.ts';
import { createMockUpstream, FAULTS, type MockUpstream } from '../upstreams/index.ts';
import { conclude, questionIn, say, speak } from './plays.ts';
import { ask, openGateway, row, until } from './support.ts';

const clients = 64;
const asks = 480;
const length = 12;
const mocks: MockUpstream[] = [];

before(async () => {
  for (let index = 0; index < 3; index++) mocks.push(await createMockUpstream());
});
after(async () => {
  for (const mock of mocks) await mock[Symbol.asyncDispose]();
});

/** Every word of an answer names its question; the last one repeats what the question told in confidence. */
function wordsFor(question: string): string[] {
  const [marker = '', secret = ''] = question.split(' mail me at ');
  return [...Array.from({ length }, (_, index) => `${marker}-${index} `), secret];
}

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};
const words = (stage: Parameters<Play>[0]) => wordsFor(questionIn(stage));

/** Ways to answer; the first two well. */
const plays: readonly Play[] = [
  (stage) => say(stage, words(stage)),
  async (stage) => {
    for (const word of words(stage)) {
      speak(stage, [word]);
      await turns(1 + (word.length % 5));
    }
    if (!stage.response.destroyed) conclude(stage);
  },
  FAULTS['error-500'],
  FAULTS.reset,
  FAULTS['html-502'],
  FAULTS['empty-body'],
  FAULTS['truncated-json'],
  FAULTS['error-first-frame'],
  (stage) => {
    stage.response.writeHead(429).end();
  },
  (stage) => {
    speak(stage, words(stage).slice(0, 5));
    stage.response.socket?.destroySoon();
  },
  async (stage) => {
    speak(stage, words(stage).slice(0, 3));
    await turns(3);
    stage.response.end('data: {"error":{"message":"The engine died.","type":"server_error"}}\n\n');
  },
  (stage) => {
    speak(stage, words(stage).slice(0, 7));
    stage.response.end('data: {"choices":[{"index":0,"del\n\n');
  },
  (stage) => {
    if (stage.reused) stage.request.socket.destroy();
    else say(stage, words(stage));
  },
];

test(`${clients} clients at a time, faults of all kinds, some leave: every answer is its question's own`, async () => {
  const random = createSeededRandom(11);
  for (const mock of mocks) {
    // Half of all calls go well.
    mock.custom((stage) =>
      plays[
        random.float() < 0.5 ? Math.floor(random.float() * 2) : Math.floor(random.float() * plays.length)
      ]!(stage),
    );
  }
  await using bench = await openGateway(
    mocks.map((mock, index) => ({
      name: `b${index}`,
      base: mock.base('custom'),
      group: 'all',
      maxConnections: 16,
      outside: true,
    })),
    { breaker: { failures: Number.POSITIVE_INFINITY } },
  );
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const came: Record<string, number> = {};
  const count = (what: string) => {
    came[what] = (came[what] ?? 0) + 1;
  };
  let next = 0;
  async function client(): Promise<void> {
    while (next < asks) {
      const nth = next++;
      const marker = `q${nth}`;
      const form = nth % 2 === 0 ? 'JSON' : 'stream';
      const secret = `user${nth}@example.com`;
      const leaves = nth % 16 === 7;
      const headers: Record<string, string> = {
        ...(nth % 3 === 0 ? { 'x-kith-privacy': 'medium' } : {}),
        ...(nth % 5 === 0 ? { 'x-kith-redundancy': '2' } : {}),
      };
      // Without a receipt it may be passed on as it is.
      const plain = nth % 3 === 1;
      const answer = await ask(bench.url, {
        form,
        agent,
        headers,
        prompt: `${marker} mail me at ${secret}`,
        body: {
          ...(nth % 4 === 1 ? {} : { temperature: 0 }),
          ...(plain ? { kith: undefined, max_tokens: 50 } : {}),
        },
        onSent(request) {
          if (leaves) void turns(nth % 30).then(() => request.destroy());
        },
      });
      const expected = wordsFor(`${marker} mail me at ${secret}`).join('');
      const { text, error, ended, receipt } = answer;
      // What it has is the beginning of its own answer, if it has not all of it.
      assert.ok(expected.startsWith(text), `${marker} was answered ${JSON.stringify(text)}`);
      if (leaves && !ended) {
        count('left');
        continue;
      }
      if (error === null) {
        assert.ok(ended && answer.finish === 'stop', `${marker} ends in silence`);
        assert.equal(text, expected);
        if (plain) count('whole, without a receipt');
        else count(receipt!.route.attempts.length > 1 ? 'rescued' : 'whole at once');
      } else {
        assert.ok(!ended && answer.finish === null);
        assert.notEqual(error.code, 'internal_error');
        count(answer.status === 200 ? 'ended in an error event' : 'answered with an error');
      }
    }
  }
  await Promise.all(Array.from({ length: clients }, client));
  agent.destroy();
  // No server saw the address of a client who wanted it hidden.
  for (const { body } of mocks.flatMap(({ seen }) => seen)) {
    const question = JSON.stringify(body?.messages);
    const nth = Number(/q(\d+) mail/.exec(question)?.[1]);
    if (nth % 3 === 0) assert.ok(!question.includes('@example.com'), question);
  }
  row(
    `${asks} asks, ${clients} at a time`,
    ...Object.entries(came).map(([what, times]) => `${times} ${what}`),
  );
  assert.ok((came.rescued ?? 0) > asks / 8);
  assert.ok((came['whole at once'] ?? 0) > asks / 8);
  assert.ok((came['whole, without a receipt'] ?? 0) > asks / 8);
  assert.ok((came['answered with an error'] ?? 0) < asks / 20);
  // Of clients who left the last may not have been seen yet. A connection that is never given back would be missed only
  // when all are gone.
  await until(() => bench.inFlight === 0 && bench.busy === 0);
});

/**
 * The requests of the soak test: what is sent, when its client leaves, and which endings are allowed. All of it
 * follows from the random source.
 *
 * @module test/long/soak-requests
 */
import assert from 'node:assert/strict';
import { type Agent, request } from 'node:http';
import type { Random } from '../../src/base/index.ts';

export interface SoakRequest {
  readonly kind: string;
  readonly path: string;
  readonly body: string;
  /** Statuses that the request may end with, beside 429 and 503 for a full node. */
  readonly status: number;
  /** Answers of this request have this many choices. */
  readonly choices: number;
  readonly stream: boolean;
  readonly leave: Leave | null;
}

/** When the client goes away. */
export type Leave =
  | { readonly at: 'body'; readonly share: number }
  | { readonly at: 'sent' }
  | { readonly at: 'ms'; readonly ms: number }
  | { readonly at: 'chunk'; readonly chunk: number };

export type Outcome = 'answered' | 'refused' | 'busy' | 'left';

const pick = <T>(random: Random, values: readonly T[]): T => values[random.uint32() % values.length]!;
const below = (random: Random, limit: number): number => random.uint32() % limit;

const SYSTEM =
  'You are a patient assistant that answers in short sentences, names no sources and never asks a question back. ';
const WORDS = 'the sea ships sail on under a wide grey sky while birds follow them home before night'.split(
  ' ',
);

function prose(random: Random, words: number): string {
  return Array.from({ length: words }, () => pick(random, WORDS)).join(' ');
}

export function makeRequest(random: Random): SoakRequest {
  const roll = random.float();
  const leave = random.float() < 0.3 ? makeLeave(random) : null;
  const maxTokens = 1 + below(random, pick(random, [4, 24, 24, 60]));
  const common = {
    max_tokens: maxTokens,
    temperature: pick(random, [0, 0.7, 1.5]),
    seed: below(random, 1000),
    ...(random.float() < 0.2 ? { stop: pick(random, [['.'], [' the', '\n'], 'a']) } : {}),
    ...(random.float() < 0.1 ? { frequency_penalty: 0.5 } : {}),
  };
  const base = { status: 200, choices: 1, stream: false, leave };
  if (roll < 0.5) {
    const stream = random.float() < 0.6;
    const n = random.float() < 0.15 ? 2 : 1;
    const shared = random.float() < 0.5;
    const words = pick(random, [2, 8, 30, 30, 120, 300]);
    const body = {
      ...common,
      stream,
      n,
      ...(random.float() < 0.1 ? { logprobs: true, top_logprobs: 3 } : {}),
      messages: [
        ...(shared ? [{ role: 'system', content: SYSTEM.repeat(4) }] : []),
        { role: 'user', content: prose(random, words) },
      ],
    };
    return {
      ...base,
      kind: `chat${stream ? ' stream' : ''}${n > 1 ? ' n=2' : ''}`,
      path: '/v1/chat/completions',
      body: JSON.stringify(body),
      choices: n,
      stream,
    };
  }
  if (roll < 0.7) {
    const stream = random.float() < 0.5;
    const body = { ...common, stream, prompt: prose(random, pick(random, [1, 10, 80])) };
    return {
      ...base,
      kind: `completion${stream ? ' stream' : ''}`,
      path: '/v1/completions',
      body: JSON.stringify(body),
      stream,
    };
  }
  if (roll < 0.85) {
    const input = Array.from({ length: 1 + below(random, 4) }, () => prose(random, 1 + below(random, 60)));
    return {
      ...base,
      kind: 'embeddings',
      path: '/v1/embeddings',
      body: JSON.stringify({ input }),
      choices: input.length,
    };
  }
  const [kind, path, body, status] = pick(random, BAD);
  return { ...base, kind, path, body, status };
}

const chat = (changes: object) =>
  JSON.stringify({ messages: [{ role: 'user', content: 'Hello' }], max_tokens: 2, ...changes });

const BAD: readonly (readonly [kind: string, path: string, body: string, status: number])[] = [
  ['bad JSON', '/v1/chat/completions', '{"messages": [', 400],
  ['bad field', '/v1/chat/completions', chat({ temperature: 'hot' }), 400],
  ['bad bias', '/v1/chat/completions', chat({ logit_bias: { 99999999: 1 } }), 400],
  ['no model', '/v1/chat/completions', chat({ model: 'nobody' }), 404],
  ['wrong model', '/v1/embeddings', JSON.stringify({ input: 'a', model: 'tiny' }), 400],
  ['no route', '/v1/nothing', '{}', 404],
  ['too long', '/v1/completions', JSON.stringify({ prompt: 'word '.repeat(5000) }), 400],
  ['too large', '/v1/completions', JSON.stringify({ prompt: 'x'.repeat(3 << 20) }), 413],
];

function makeLeave(random: Random): Leave {
  const roll = random.float();
  if (roll < 0.15) return { at: 'body', share: random.float() };
  if (roll < 0.3) return { at: 'sent' };
  if (roll < 0.65) return { at: 'ms', ms: below(random, 400) };
  return { at: 'chunk', chunk: 1 + below(random, 12) };
}

/** Sends it and checks how it ends. Throws AssertionError for an ending that is not allowed. */
export function send(port: number, agent: Agent, soak: SoakRequest): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const { leave } = soak;
    let left = false;
    const bytes = Buffer.from(soak.body);
    const outgoing = request({
      port,
      agent,
      host: '127.0.0.1',
      method: 'POST',
      path: soak.path,
      headers: { 'content-type': 'application/json', 'content-length': bytes.length },
    });
    const depart = () => {
      left = true;
      clearTimeout(timer);
      outgoing.destroy();
      resolve('left');
    };
    const timer = leave?.at === 'ms' ? setTimeout(depart, leave.ms) : undefined;
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      if (left) return;
      clearTimeout(timer);
      // A body that the node refuses to read may meet a closed connection before the answer is read.
      if (soak.status === 413 && (error.code === 'EPIPE' || error.code === 'ECONNRESET')) resolve('refused');
      else reject(new Error(`${soak.kind}: ${error.message}`, { cause: error }));
    });
    outgoing.on('response', (response) => {
      let text = '';
      let chunks = 0;
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (leave?.at === 'chunk' && ++chunks >= leave.chunk) depart();
      });
      response.on('error', () => {}); // `outgoing` has it too.
      response.on('close', () => {
        if (left) return;
        clearTimeout(timer);
        try {
          assert.ok(response.complete, 'the answer was cut off');
          resolve(checkAnswer(soak, response.statusCode!, response.headers['retry-after'], text));
        } catch (error) {
          reject(
            new Error(`${soak.kind}: ${(error as Error).message}\n${text.slice(-400)}`, { cause: error }),
          );
        }
      });
    });
    if (leave?.at === 'body') {
      outgoing.write(bytes.subarray(0, Math.floor(bytes.length * leave.share)), depart);
    } else outgoing.end(bytes, leave?.at === 'sent' ? depart : undefined);
  });
}

interface Chunk {
  readonly choices: readonly { readonly index: number; readonly finish_reason: string | null }[];
  readonly data?: readonly unknown[];
  readonly error?: { readonly code: string };
}

function checkAnswer(
  soak: SoakRequest,
  status: number,
  retryAfter: string | undefined,
  text: string,
): Outcome {
  if (status === 429 || status === 503) {
    assert.ok(Number(retryAfter) >= 1, `status ${status} without retry-after`);
    return 'busy';
  }
  assert.equal(status, soak.status);
  if (status !== 200) {
    assert.ok(typeof (JSON.parse(text) as Chunk).error?.code === 'string');
    return 'refused';
  }
  const finished: number[] = [];
  const finish = ({ choices }: Chunk) => {
    for (const choice of choices) {
      if (choice.finish_reason === null) continue;
      assert.ok(['stop', 'length'].includes(choice.finish_reason), choice.finish_reason);
      finished.push(choice.index);
    }
  };
  if (soak.stream) {
    const events = text.trim().split('\n\n');
    assert.equal(events.pop(), 'data: [DONE]');
    for (const event of events) {
      if (!event.startsWith(': ')) finish(JSON.parse(event.slice(6)) as Chunk);
    }
  } else {
    const answer = JSON.parse(text) as Chunk;
    if (soak.kind === 'embeddings') {
      assert.equal(answer.data?.length, soak.choices);
      return 'answered';
    }
    finish(answer);
  }
  assert.deepEqual(
    finished.sort(),
    Array.from({ length: soak.choices }, (_, index) => index),
  );
  return 'answered';
}

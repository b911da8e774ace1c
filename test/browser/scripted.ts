/**
 * Answers of the node as the page gets them, written by a test: for what a small model on one machine cannot show.
 *
 * @module test/browser/scripted
 */
import type { Page } from 'playwright-core';
import type { Receipt, Route } from '../../web/src/data/receipt.ts';

const chunk = (body: object) => `data: ${JSON.stringify(body)}\n\n`;

export interface Scripted {
  /** @default 'It is so.' */
  readonly text?: string;
  readonly receipt: Receipt;
  /** Null: the backend did not count. @default 12 tokens of the question, 8 of the answer */
  readonly usage?: object | null;
}

const counted = {
  prompt_tokens: 12,
  completion_tokens: 8,
  total_tokens: 20,
  prompt_tokens_details: { cached_tokens: 4 },
};

/** The whole answer as the events of `POST /v1/chat/completions`. */
export function bodyOf({ text = 'It is so.', receipt, usage = counted }: Scripted): string {
  const { model } = receipt;
  return [
    chunk({ model, choices: [{ delta: { content: text } }] }),
    chunk({ model, choices: [{ delta: {}, finish_reason: 'stop' }] }),
    chunk({ model, choices: [], usage, kith: receipt }),
    'data: [DONE]\n\n',
  ].join('');
}

/** Answers questions with these, one after the other; the last goes on. */
export async function script(page: Page, answers: readonly Scripted[]): Promise<void> {
  let asked = 0;
  await page.route('**/v1/chat/completions', (route) => {
    const answer = answers[Math.min(asked++, answers.length - 1)]!;
    return route.fulfill({ contentType: 'text/event-stream', body: bodyOf(answer) });
  });
}

const nowhere = { level: 'minimum', where: null, link: null, replaced: null };

export function receiptOf(change: Partial<Receipt> = {}, route: Partial<Route> = {}): Receipt {
  return {
    backend: 'local',
    model: 'tiny',
    queue_ms: 1,
    prefill_ms: 20,
    decode_ms: 400,
    notes: [],
    route: {
      step: 'local',
      attempts: [],
      privacy: { ...nowhere, where: 'this_machine' },
      cache: null,
      cost: 0,
      complexity: null,
      ...route,
    },
    ...change,
  };
}

/** A receipt in which nothing was computed now. */
export const keptReceipt = (status: string, ageMs: number): Receipt =>
  receiptOf(
    { backend: 'openai', model: 'gpt-5' },
    {
      step: status === 'stale' ? 'stale' : 'cache',
      privacy: nowhere,
      cache: { status, age_ms: ageMs, saved_tokens: status === 'stale' ? null : 20 },
    },
  );

/** Three nodes computed, one of which took the place of one that was lost. */
export const overPeers: Receipt = receiptOf(
  {
    backend: 'peers',
    model: 'tinyllama@peers',
    path: {
      blocks: 22,
      span: { from: 2, to: 20 },
      shards: [
        { peer: '12D3KooWGW84vVhjkgD9Nyrysn6QN5xD7w9WmbU5sLEYx8gCjqHP', from: 2, to: 11 },
        { peer: '12D3KooWCAw3VpuBpGhF4EuXda7qD6h3SNBS8qtBuMohw1myU1Lq', from: 11, to: 19 },
        { peer: '12D3KooWQJzxKtEUvbt9BZ1uJyAMw2WSEQSShp4my4c3iikhW8Cf', from: 19, to: 20 },
      ],
      lost: [
        {
          peer: '12D3KooWQbb6k91VYokt5K45RdSVM4oyN3QhkCNwwfqy1L3DWbsz',
          from: 11,
          to: 20,
          reason: 'The peer closed the connection.',
        },
      ],
      joined: [
        { peer: '12D3KooWCAw3VpuBpGhF4EuXda7qD6h3SNBS8qtBuMohw1myU1Lq', from: 11, to: 19 },
        { peer: '12D3KooWQJzxKtEUvbt9BZ1uJyAMw2WSEQSShp4my4c3iikhW8Cf', from: 19, to: 20 },
      ],
      paused_ms: 640,
    },
  },
  {
    step: 'swarm',
    attempts: [],
    privacy: { level: 'maximum', where: 'peer', link: 'encrypted', replaced: null },
  },
);

const tried = { reason: 'failover', code: null, wait_ms: 0, first_token_ms: null, ms: 310 };

/** Four were asked or passed over before a provider answered what had personal data in it. */
export const failover: Receipt = receiptOf(
  {
    backend: 'openai',
    model: 'gpt-5',
    queue_ms: null,
    prefill_ms: null,
    decode_ms: 2_700,
    notes: ['A note of the node.'],
  },
  {
    step: 'remote',
    attempts: [
      {
        ...tried,
        backend: 'home',
        model: 'qwen',
        reason: 'first choice',
        outcome: 'failed',
        code: 'upstream_connect_failed',
        ms: 12,
      },
      { ...tried, backend: 'spare', model: 'qwen', outcome: 'skipped', ms: 0 },
      { ...tried, backend: 'mistral', model: 'large', outcome: 'failed', code: 'upstream_server_error' },
      {
        ...tried,
        backend: 'mistral',
        model: 'large',
        reason: 'retry',
        outcome: 'failed',
        code: 'a_code_of_tomorrow',
        wait_ms: 640,
      },
      {
        ...tried,
        backend: 'openai',
        model: 'gpt-5',
        outcome: 'answered',
        first_token_ms: 420,
        ms: 3_120,
      },
    ],
    privacy: {
      level: 'medium',
      where: 'provider',
      link: 'encrypted',
      replaced: [
        { class: 'email', count: 2 },
        { class: 'name', count: 1 },
      ],
    },
    cost: 0.00123,
    complexity: { side: 'frontier', by: 'score', score: 0.82, threshold: 0.7, decision: 'decision-1' },
  },
);

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer } from './archive.ts';
import { originOf, speedOf, stayedHere, witnessesOf } from './origin.ts';
import type { Attempt, Receipt, Route } from './receipt.ts';

const attempt = (backend: string, change: Partial<Attempt> = {}): Attempt => ({
  backend,
  model: 'm',
  reason: 'failover',
  outcome: 'failed',
  code: null,
  wait_ms: 0,
  first_token_ms: null,
  ms: 1,
  ...change,
});

function answerOf(
  backend: string | null,
  route: Partial<Route> | null,
  change: Partial<Answer> = {},
): Answer {
  const full: Route = {
    step: 'local',
    attempts: [],
    privacy: { level: 'minimum', where: 'this_machine', link: null, replaced: null },
    cache: null,
    cost: 0,
    complexity: null,
    ...route,
  };
  const receipt: Receipt | null =
    backend === null
      ? null
      : {
          backend,
          model: 'm',
          queue_ms: 1,
          prefill_ms: 1,
          decode_ms: 100,
          notes: [],
          ...(route === null ? {} : { route: full }),
        };
  return {
    state: 'done',
    text: 'so',
    model: null,
    backend,
    finish: 'stop',
    usage: { prompt_tokens: 3, completion_tokens: 11, cached_tokens: null },
    receipt,
    requestId: null,
    fault: null,
    ...change,
  };
}

const provider = { level: 'minimum', where: 'provider', link: 'encrypted', replaced: null };
const nowhere = { level: 'minimum', where: null, link: null, replaced: null };

test('an answer that ended before its receipt is where its first headers say, or not known', () => {
  const cut = (backend: string | null, step: string | null) =>
    originOf(answerOf(null, null, { backend, step, state: 'stopped' })).kind;
  assert.equal(cut('local', 'local'), 'local');
  assert.equal(cut('openai', 'remote'), 'elsewhere');
  assert.equal(cut('local', 'cache'), 'kept');
  assert.equal(cut(null, null), 'unknown');
  // A node of before named no step; only its own engine tells its place by its name.
  assert.equal(cut('local', null), 'local');
  assert.equal(cut('openai', null), 'unknown');
});

test('words stayed here only when nobody who was asked before could have had them', () => {
  const local = (...attempts: readonly Attempt[]) =>
    answerOf('local', { attempts: [...attempts, attempt('local', { outcome: 'answered' })] });
  assert.equal(stayedHere(local()), true);
  assert.equal(stayedHere(local(attempt('openai', { outcome: 'skipped' }))), true);
  assert.equal(stayedHere(local(attempt('openai', { code: 'upstream_connect_failed' }))), true);
  assert.equal(stayedHere(local(attempt('openai', { code: 'upstream_reset' }))), false);
  assert.equal(stayedHere(local(attempt('openai', { outcome: 'cut', first_token_ms: 3 }))), false);
  assert.equal(stayedHere(answerOf('openai', { step: 'remote', privacy: provider })), false);
});

test('of several asks of a backend the one that showed it most counts', () => {
  const answer = answerOf('openai', {
    step: 'remote',
    privacy: { ...provider, replaced: [{ class: 'email', count: 1 }] },
    attempts: [
      attempt('home', { code: 'upstream_connect_failed' }),
      attempt('home', { code: 'upstream_server_error' }),
      attempt('mistral', { outcome: 'stalled', first_token_ms: 2 }),
      attempt('mistral', { outcome: 'skipped' }),
      attempt('openai', { outcome: 'answered' }),
    ],
  });
  assert.deepEqual(witnessesOf(answer), [
    { backend: 'home', words: 'maybe', ran: 'maybe' },
    { backend: 'mistral', words: 'yes', ran: 'yes' },
    { backend: 'openai', words: 'replaced', ran: 'yes' },
  ]);
});

test('who made a kept answer saw the question then, or another question', () => {
  const kept = (status: string) =>
    witnessesOf(
      answerOf('openai', {
        step: 'cache',
        privacy: nowhere,
        cache: { status, age_ms: 5, saved_tokens: null },
      }),
    );
  assert.deepEqual(kept('hit'), [{ backend: 'openai', words: 'once', ran: 'once' }]);
  assert.deepEqual(kept('similar'), [{ backend: 'openai', words: 'similar', ran: 'once' }]);
});

test('a search is told by where its question went', () => {
  const search = (privacy: Route['privacy']) =>
    witnessesOf(answerOf('searxng', { step: 'search', privacy })).map(({ words }) => words);
  assert.deepEqual(search(nowhere), ['unknown']);
  assert.deepEqual(search({ ...nowhere, where: 'this_machine' }), ['no']);
  assert.deepEqual(search(provider), ['yes']);
  assert.deepEqual(search({ ...provider, replaced: [{ class: 'name', count: 1 }] }), ['replaced']);
});

test('only an answer that was made now has a speed', () => {
  assert.equal(speedOf(answerOf('local', {})), 100);
  const kept = { step: 'cache', privacy: nowhere, cache: { status: 'hit', age_ms: 5, saved_tokens: 1 } };
  assert.equal(speedOf(answerOf('local', kept)), null);
  assert.equal(speedOf(answerOf('local', {}, { usage: null })), null);
});

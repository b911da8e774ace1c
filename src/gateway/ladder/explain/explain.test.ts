import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KithError, LimitError } from '../../../base/index.ts';
import { badResponse, UpstreamError } from '../../upstream/index.ts';
import { LANGUAGES } from '../locale.ts';
import { explanation, foundLabel, helpLabel } from './index.ts';
import { REASONS, type Reason, reasonOf } from './reason.ts';
import { TEXTS } from './texts.ts';

test('each failure of a backend and each refusal of the policy has its reason', () => {
  const refused = (code: string, status: number) => new KithError(code, 'No.', { status });
  const cases: readonly (readonly [KithError, Reason])[] = [
    [refused('backends_unavailable', 503), 'unreachable'],
    [new UpstreamError('connect_failed', 'upstream_connect_failed', 'x'), 'unreachable'],
    [new UpstreamError('timeout_first_token', 'upstream_timeout_first_token', 'x'), 'late'],
    [new UpstreamError('rate_limited', 'upstream_rate_limited', 'x'), 'busy'],
    [new UpstreamError('rate_limited', 'upstream_quota', 'x'), 'access'],
    [new UpstreamError('auth', 'upstream_auth', 'x'), 'access'],
    [new UpstreamError('server_error', 'upstream_server_error', 'x'), 'failed'],
    [badResponse('upstream_invalid_json', 'http://x', 'lied'), 'failed'],
    [new UpstreamError('content_filter', 'content_filter', 'x'), 'filtered'],
    [new LimitError('engine.maxQueue', 4, 'x'), 'busy'],
    [refused('privacy_unmet', 403), 'privacy'],
    [refused('region_unmet', 403), 'region'],
    [refused('budget_exceeded', 429), 'budget'],
    [refused('capability_missing', 400), 'capability'],
    [refused('context_length_exceeded', 400), 'length'],
    [refused('model_not_found', 404), 'model'],
    [refused('something_new', 504), 'late'],
    [refused('something_new', 500), 'failed'],
    [refused('toString', 500), 'failed'],
  ];
  for (const [error, reason] of cases) assert.equal(reasonOf(error), reason, error.code);
});

test('when several backends failed alike, the reason is theirs', () => {
  const limited = new UpstreamError('rate_limited', 'upstream_rate_limited', 'x');
  const all = (status: number) => new KithError('no_backend_answered', 'x', { status, cause: limited });
  assert.equal(reasonOf(all(429)), 'busy');
  assert.equal(reasonOf(all(503)), 'failed');
  assert.equal(reasonOf(new KithError('no_backend_answered', 'x', { status: 503 })), 'failed');
});

test('every language says in its first line that no model wrote it, why, what can be done, and the code', () => {
  const seen = new Set<string>();
  for (const language of LANGUAGES) {
    for (const label of [foundLabel('a', language), helpLabel(language), TEXTS[language].unanswered]) {
      assert.match(label, /^Kith ?: /);
      assert.match(label, /model|modèle|modelo|modello/i);
      assert.ok(!label.includes('\n'));
    }
    assert.ok(foundLabel('$& me', language).includes('$& me'));
    for (const reason of REASONS) {
      const [why, remedy] = TEXTS[language].reasons[reason];
      for (const text of [why, remedy]) {
        assert.match(text, /[.]$/);
        assert.ok(!seen.has(`${language}${text}`), text);
        seen.add(`${language}${text}`);
      }
    }
    const text = explanation(
      new KithError('privacy_unmet', 'secret words of the question', { status: 403 }),
      language,
    );
    assert.equal(text.split('\n')[0], TEXTS[language].unanswered);
    assert.ok(text.includes(TEXTS[language].reasons.privacy[1]) && text.endsWith(' privacy_unmet'), text);
    assert.ok(!text.includes('secret'));
  }
});

test('seconds to wait are told where they are known, and a code that is none is not repeated', () => {
  const error = new KithError('backends_unavailable', 'x', { status: 503, retryAfter: 12.2 });
  assert.match(explanation(error, 'en'), /about 13 seconds/);
  assert.doesNotMatch(explanation(new KithError('<b>x</b>', 'x'), 'en'), /<b>|Code/);
});

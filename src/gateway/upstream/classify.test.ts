/** @module gateway/upstream/classify.test */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { AbortedError } from '../../base/index.ts';
import { classify } from './classify.ts';
import { failureOf, UpstreamError } from './errors.ts';
import { retryAfterOf } from './retry-after.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z');
const refusal = (status: number | null, body: unknown, headers: Record<string, string> = {}) =>
  classify({
    server: 'https://api.test',
    status,
    headers,
    text: typeof body === 'string' ? body : JSON.stringify(body),
    now: NOW,
    secrets: ['planted-secret'],
  });

test('refusals are told apart by status and by what each server writes', () => {
  const cases: [number | null, unknown, string, string][] = [
    [
      400,
      { error: { message: 'bad', type: 'invalid_request_error' } },
      'bad_request',
      'upstream_bad_request',
    ],
    [
      400,
      { error: { message: 'x', code: 'context_length_exceeded' } },
      'context_length',
      'context_length_exceeded',
    ],
    [
      400,
      { object: 'error', message: "This model's maximum context length is 8 tokens" },
      'context_length',
      'context_length_exceeded',
    ],
    [
      400,
      { error: { code: 400, type: 'exceed_context_size_error', message: 'n' } },
      'context_length',
      'context_length_exceeded',
    ],
    [
      422,
      { error: '`inputs` tokens + `max_new_tokens` must be <= 2048', error_type: 'validation' },
      'context_length',
      'context_length_exceeded',
    ],
    [
      400,
      {
        type: 'error',
        error: { type: 'invalid_request_error', message: 'prompt is too long: 9 tokens > 8 maximum' },
      },
      'context_length',
      'context_length_exceeded',
    ],
    [
      400,
      { error: { message: 'The response was filtered', code: 'content_filter' } },
      'content_filter',
      'content_filter',
    ],
    [
      403,
      { error: { code: 403, message: 'Your chosen model requires moderation and your input was flagged' } },
      'content_filter',
      'content_filter',
    ],
    [401, { error: { message: 'Incorrect API key', code: 'invalid_api_key' } }, 'auth', 'upstream_auth'],
    [402, { error: { code: 402, message: 'Insufficient credits' } }, 'auth', 'upstream_auth'],
    [403, '<html>Forbidden</html>', 'auth', 'upstream_auth'],
    [404, { error: { message: 'The model `x` does not exist' } }, 'bad_request', 'model_not_found'],
    [404, { detail: 'Not Found' }, 'bad_request', 'upstream_not_found'],
    [
      422,
      { detail: [{ loc: ['body', 'stream_options'], msg: 'Extra inputs are not permitted' }] },
      'bad_request',
      'upstream_bad_request',
    ],
    [429, { error: { message: 'slow down', type: 'requests' } }, 'rate_limited', 'upstream_rate_limited'],
    [
      429,
      { error: { code: 'insufficient_quota', message: 'You exceeded your current quota' } },
      'rate_limited',
      'upstream_quota',
    ],
    [500, { error: 'llama runner process has terminated' }, 'server_error', 'upstream_server_error'],
    [502, '<html><title>502</title></html>', 'server_error', 'upstream_server_error'],
    [503, '', 'server_error', 'upstream_server_error'],
    [
      529,
      { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
      'server_error',
      'upstream_overloaded',
    ],
    [204, '', 'bad_response', 'upstream_bad_response'],
    [
      null,
      { error: { message: 'Rate limited', type: 'rate_limit_error' } },
      'rate_limited',
      'upstream_rate_limited',
    ],
    [
      null,
      { error: { code: 502, message: 'Provider returned error' } },
      'server_error',
      'upstream_server_error',
    ],
    [
      null,
      { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
      'server_error',
      'upstream_overloaded',
    ],
    [
      null,
      { error: { type: 'BadRequestError', code: 400, message: 'no' } },
      'bad_request',
      'upstream_bad_request',
    ],
    [null, { error: 'something' }, 'server_error', 'upstream_server_error'],
    [
      null,
      { error: { message: 'maximum context length is 8' } },
      'context_length',
      'context_length_exceeded',
    ],
  ];
  for (const [status, body, failure, code] of cases) {
    const error = refusal(status, body);
    assert.deepEqual([error.failure, error.code], [failure, code], JSON.stringify([status, body]));
    assert.equal(failureOf(error), failure);
  }
  assert.equal(failureOf(new AbortedError()), 'aborted');
  assert.equal(failureOf(new Error('x')), null);
});

test('a message repeats no credential, no page of HTML and no control characters, and is short', () => {
  const { message } = refusal(400, {
    error: { message: `Key planted-secret or sk-abcdefghijklmnop is wrong\u0007\n\n${'long '.repeat(500)}` },
  });
  assert.doesNotMatch(message, /planted-secret|sk-abc|[\u0000-\u001f]/);
  assert.match(message, /^https:\/\/api\.test refused the request \(status 400\): Key \[redacted\]/);
  assert.ok(message.length < 450, String(message.length));
  assert.doesNotMatch(refusal(502, '<html>secret page</html>').message, /secret/);
});

test('when to come back is read from headers, bodies and sentences', () => {
  const after = (headers: Record<string, string>, body: unknown = null, message = '') =>
    retryAfterOf(headers, body, message, NOW);
  assert.equal(after({ 'retry-after-ms': '1500', 'retry-after': '9' }), 1500);
  assert.equal(after({ 'retry-after': '7' }), 7000);
  assert.equal(after({ 'retry-after': 'Sat, 21 Nov 2026 12:00:30 GMT' }), 30_000);
  assert.equal(after({ 'retry-after': 'Sat, 21 Nov 2026 11:00:00 GMT' }), 0);
  assert.equal(after({}, [{ error: { details: [{ retryDelay: '34.07s' }] } }]), 34_070);
  assert.equal(after({}, { error: { retry_after: 2 } }), 2000);
  assert.equal(after({}, { retry_after_ms: 20 }), 20);
  assert.equal(after({}, null, 'Limit 3. Please try again in 6m0.5s. Visit'), 360_500);
  assert.equal(after({}, null, 'Please try again in 20ms.'), 20);
  assert.equal(after({}, null, 'Please retry after 15 seconds.'), 15_000);
  assert.equal(after({ 'retry-after': '999999999' }), 86_400_000);
  assert.equal(after({ 'retry-after': 'soon' }), null);
  assert.equal(after({}, { error: { message: 'no' } }, 'no'), null);
  const error = refusal(429, { error: { message: 'x' } }, { 'retry-after': '1.5' });
  assert.deepEqual([error.retryAfterMs, error.retryAfter, error.status], [1500, 2, 429]);
  assert.equal(error.shouldRetry, null);
  assert.equal(refusal(503, '', { 'x-should-retry': 'false' }).shouldRetry, false);
});

test('any status with any body is one of the classes', () => {
  fc.assert(
    fc.property(
      fc.option(fc.integer({ min: 100, max: 999 })),
      fc.oneof(
        fc.string(),
        fc.jsonValue().map((value) => JSON.stringify(value)),
      ),
      fc.dictionary(fc.constantFrom('retry-after', 'retry-after-ms'), fc.string()),
      (status, text, headers) => {
        const error = classify({ server: 's', status, headers, text, now: NOW });
        assert.ok(error instanceof UpstreamError);
        assert.ok(
          error.retryAfterMs === null || (error.retryAfterMs >= 0 && error.retryAfterMs <= 86_400_000),
        );
      },
    ),
    { numRuns: 500 },
  );
});

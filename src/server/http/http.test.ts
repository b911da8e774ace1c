import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { InputError, KithError, LimitError } from '../../base/index.ts';
import { jsonDepth, parseJson } from './body.ts';
import { errorAnswer as answerOf, openAiError } from './errors.ts';
import { checkHost, checkTarget, hostName } from './host.ts';
import { createRouter } from './router.ts';
import { doneEvent, encodeEvent } from './sse.ts';

function errorAnswer(error: unknown, requestId: string) {
  const { headers, fault } = answerOf(error, requestId);
  return { headers, status: fault.status, body: openAiError(fault) };
}

const limits = { bodyBytes: 1000, jsonDepth: 4 };
const bytes = (text: string) => new TextEncoder().encode(text);
const code = (expected: string) => (error: unknown) => error instanceof KithError && error.code === expected;

test('a body that is no UTF-8, no JSON, empty or too deep has an error of its own', () => {
  assert.throws(() => parseJson(Uint8Array.of(0x7b, 0xff, 0x7d), limits), code('invalid_utf8'));
  assert.throws(() => parseJson(bytes('{"a":'), limits), code('invalid_json'));
  assert.throws(() => parseJson(bytes('  '), limits), code('invalid_json'));
  assert.throws(() => parseJson(bytes('[[[[[1]]]]]'), limits), code('json_too_deep'));
  assert.deepEqual(parseJson(bytes('[[[[1]]]]'), limits), [[[[1]]]]);
});

test('brackets inside strings do not count as depth', () => {
  assert.equal(jsonDepth('{"a":"[[[[\\"[[["}', 10), 1);
});

test('the depth of any JSON value is counted as its nesting', () => {
  const nesting = (value: unknown): number =>
    typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(nesting)) : 0;
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      assert.equal(jsonDepth(JSON.stringify(value), 1000), nesting(value));
    }),
  );
});

test('errors have the OpenAI shape, their status and their headers', () => {
  const limit = errorAnswer(new LimitError('engine.maxQueue', 64, 'Too many.', { retryAfter: 1.2 }), 'req-1');
  assert.equal(limit.status, 429);
  assert.equal(limit.headers['retry-after'], '2');
  assert.deepEqual(limit.body.error, {
    message: 'Too many.',
    type: 'rate_limit_error',
    param: null,
    code: 'rate_limit_exceeded',
  });
  const input = errorAnswer(new InputError('invalid_type', 'Wrong.', { param: 'n' }), 'req-1');
  assert.deepEqual(
    [input.status, input.body.error.type, input.body.error.param],
    [400, 'invalid_request_error', 'n'],
  );
});

test('clients are told not to repeat what would fail again', () => {
  const told = (error: unknown) => errorAnswer(error, 'req-1').headers['x-should-retry'];
  assert.equal(told(new Error('odd')), 'false');
  assert.equal(told(new KithError('model_corrupt', 'Corrupt.')), 'false');
  assert.equal(told(new KithError('model_not_installed', 'Absent.', { status: 409 })), 'false');
  assert.equal(told(new KithError('engine_lost', 'Lost.', { status: 503, retryAfter: 1 })), undefined);
  assert.equal(told(new LimitError('engine.maxQueue', 64, 'Too many.')), undefined);
  assert.equal(told(new InputError('invalid_type', 'Wrong.')), undefined);
});

test('an unexpected error says nothing of what it was', () => {
  const answer = errorAnswer(new TypeError('secret path /home/me'), 'req-9');
  assert.equal(answer.status, 500);
  assert.doesNotMatch(JSON.stringify(answer.body), /secret/);
  assert.match(answer.body.error.message, /req-9/);
});

test('only loopback names pass the host check', () => {
  for (const host of ['127.0.0.1:11435', 'localhost', 'LOCALHOST:80', '[::1]:11435', 'kith.localhost'])
    assert.doesNotThrow(() => checkHost({ host }), host);
  for (const host of [
    'evil.example',
    '127.0.0.1.evil.example',
    '0.0.0.0',
    '192.168.1.2:80',
    '',
    'a b',
    '[::1',
  ])
    assert.throws(() => checkHost({ host }), code('host_refused'), host);
  assert.equal(hostName('[::1]:80'), '::1');
});

test('a web page of another origin is refused, one of this origin passes', () => {
  const host = '127.0.0.1:11435';
  assert.doesNotThrow(() => checkHost({ host, origin: `http://${host}` }));
  assert.throws(() => checkHost({ host, origin: 'https://evil.example' }), code('origin_refused'));
  assert.throws(() => checkHost({ host, origin: 'null' }), code('origin_refused'));
  assert.throws(() => checkHost({ host, 'sec-fetch-site': 'cross-site' }), code('origin_refused'));
});

const route = createRouter([
  { method: 'GET', path: '/v1/models', scope: 'read', handler: () => {} },
  { method: 'GET', path: '/v1/models/*id', scope: 'read', handler: () => {} },
  { method: 'POST', path: '/v1/x/:a/y', scope: 'read', handler: () => {} },
]);

test('paths find their route, with decoded parameters', () => {
  assert.deepEqual(route('GET', '/v1/models/org%2Fname').params, { id: 'org/name' });
  assert.deepEqual(route('GET', '/v1/models/org/name').params, { id: 'org/name' });
  assert.deepEqual(route('POST', '/v1/x/1/y?z=2').params, { a: '1' });
  assert.equal(route('HEAD', '/v1/models/').pattern, '/v1/models');
  assert.equal(route('OPTIONS', '/v1/models').allow, 'GET, HEAD, OPTIONS');
});

test('unknown paths are 404, other methods 405 with allow', () => {
  assert.throws(() => route('GET', '/v2'), code('route_not_found'));
  assert.throws(
    () => route('DELETE', '/v1/models'),
    (error: unknown) =>
      error instanceof KithError && error.status === 405 && error.details.allow === 'GET, HEAD, OPTIONS',
  );
  assert.throws(() => route('GET', '/v1/models/%zz'), code('invalid_path'));
  assert.throws(
    () => route('DELETE', '/v1/models/tiny'),
    /^\S+ \/v1\/models\/tiny takes GET, HEAD, OPTIONS, not DELETE\.$/,
  );
});

test('no request target makes the router throw anything but a typed error', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (method, target) => {
      try {
        route(method, target);
      } catch (error) {
        assert.ok(error instanceof KithError && error.status < 500);
      }
    }),
  );
});

test('an event is one data line whatever its text holds', () => {
  assert.equal(encodeEvent({ text: 'a\nb\r\n\u2028' }), 'data: {"text":"a\\nb\\r\\n\u2028"}\n\n');
  assert.equal(doneEvent, 'data: [DONE]\n\n');
});

test('an error that blames a field inside calls it as the body does', () => {
  const told = (param: string, message: string) => {
    const { body } = errorAnswer(new InputError('option_invalid', message, { param }), 'req-1');
    return [body.error.param, body.error.message];
  };
  assert.deepEqual(told('keepTokens', 'keepTokens is 9; `engine.maxTokens` is 4.'), [
    'kith.keep_tokens',
    'kith.keep_tokens is 9; `engine.maxTokens` is 4.',
  ]);
  assert.deepEqual(told('logitBias', 'logitBias names token 7; the vocabulary ends at 5.'), [
    'logit_bias',
    'logit_bias names token 7; the vocabulary ends at 5.',
  ]);
  assert.deepEqual(told('engine.kvCells', 'maxTokens'), ['engine.kvCells', 'maxTokens']);
});

test('a target that names another authority than the Host header is refused', () => {
  checkTarget('/v1/models', 'localhost:1');
  checkTarget('http://LOCALHOST:1/v1/models', 'localhost:1');
  checkTarget('http://localhost:1?x', 'localhost:1');
  for (const target of ['http://evil.example/v1/models', 'https://evil.example', 'http://localhost:2/'])
    assert.throws(() => checkTarget(target, 'localhost:1'), code('invalid_host'), target);
  assert.throws(() => checkTarget('http://evil.example/', undefined), code('invalid_host'));
});

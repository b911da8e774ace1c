import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KithError } from '../base/index.ts';
import { checkBackendNames, configWarnings } from './config-sense.ts';
import { configOf } from './testing/config.ts';

function refusal(yaml: string): string {
  try {
    checkBackendNames(configOf(yaml));
  } catch (error) {
    assert.ok(error instanceof KithError && error.code === 'config_invalid', String(error));
    return error.message;
  }
  return assert.fail('it was accepted');
}

test('a budget that names no backend is refused, since it would hold nothing', () => {
  const farm = 'backends: [{name: farm, nodes: [http://a/v1, http://b/v1], network: owned}]\n';
  const budget = (backend: string) =>
    `${farm}budgets: [{per: day, tokens: 1}, {backend: ${backend}, tokens: 5, per: day}]`;
  assert.equal(
    refusal(budget('frm')),
    "budgets[1].backend names 'frm', which is no backend here, so it would hold nothing; there are: local, farm-1, farm-2.",
  );
  assert.match(refusal(budget('farm')), /Each of its nodes needs a budget of its own\.$/);
  for (const name of ['local', 'farm-2']) checkBackendNames(configOf(budget(name)));
  // A variable makes a backend, too.
  checkBackendNames(
    configOf('budgets: [{backend: llm, tokens: 5, per: day}]', { LLM_BASE_URL: 'https://a.example/v1' }),
  );
});

test('a Redis server on another machine without TLS is warned of, with what to write', () => {
  const warned = (url: string) => configWarnings(configOf(`gateway: {redisUrl: "${url}"}`));
  for (const url of [
    'redis://localhost:6379/0',
    'redis://[::1]',
    'redis://127.0.0.1',
    'rediss://cache.example',
  ])
    assert.deepEqual(warned(url), [], url);
  for (const url of [
    'redis://user:pass-word@cache.example:6379',
    'redis://10.0.0.7',
    'redis://a.localhost',
  ]) {
    const [said, ...more] = warned(url);
    assert.deepEqual(more, []);
    assert.match(
      said!,
      /^gateway\.redisUrl is redis:\/\/ on another machine .* in the clear\. Write rediss:\/\//,
    );
    assert.doesNotMatch(said!, /pass-word/);
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeConfig, resolveConfig, showConfigValue } from './config.ts';
import { agentVariable, OTHER_NAMES } from './config-env.ts';
import type { ConfigKey } from './config-schema.ts';
import { KithError } from './errors.ts';

const home = '/nonexistent/kith-config-env';
const resolved = (env: Record<string, string>) => resolveConfig({ env, home });

/** Variables as the programs they come from document them: an example, and what it becomes. */
const DOCUMENTED: readonly (readonly [string, string, ConfigKey, unknown])[] = [
  ['KWAAI_ENDPOINT', 'https://api.kwaai.ai/v1', 'kwaai.endpoint', 'https://api.kwaai.ai/v1'],
  ['KWAAI_API_KEY', 'kw-1', 'kwaai.apiKey', 'kw-1'],
  ['KWAAI_MODEL', 'kwaainet/llama-3.2-3b-instruct', 'kwaai.model', 'kwaainet/llama-3.2-3b-instruct'],
  [
    'KWAAI_DISTRIBUTED_NODES',
    'https://a.example, https://b.example',
    'kwaai.nodes',
    ['https://a.example', 'https://b.example'],
  ],
  ['KWAAI_DISTRIBUTED_ENABLED', 'false', 'kwaai.distributed', false],
  ['KWAAI_LOAD_BALANCING', 'least_connections', 'gateway.balancing', 'least-connections'],
  ['KWAAI_REDUNDANCY', '2', 'gateway.redundancy', 2],
  ['KWAAI_PRIVACY_LEVEL', 'maximum', 'gateway.privacy', 'maximum'],
  ['KWAAI_FAST_MODEL', 'small', 'kwaai.fastModel', 'small'],
  ['KWAAI_QUALITY_MODEL', 'large', 'kwaai.qualityModel', 'large'],
  ['KWAAI_EMBEDDING_MODEL', 'embed', 'kwaai.embeddingModel', 'embed'],
  ['LLM_BASE_URL', 'http://192.168.1.7:8000/v1', 'llm.baseUrl', 'http://192.168.1.7:8000/v1'],
  ['LLM_API_KEY', 'optional-api-key', 'llm.apiKey', 'optional-api-key'],
  ['LLM_MODEL', 'default', 'llm.model', 'default'],
  ['LLM_TIMEOUT', '30.0', 'gateway.timeoutMs', 30_000],
  ['LLM_MAX_RETRIES', '3', 'gateway.retries', 3],
  ['LLM_RETRY_DELAY', '1.5', 'gateway.retryDelayMs', 1500],
  ['LLM_CIRCUIT_BREAKER_THRESHOLD', '7', 'gateway.breakerFailures', 7],
  ['LLM_CIRCUIT_BREAKER_TIMEOUT', '60.0', 'gateway.breakerOpenMs', 60_000],
  ['OPENROUTER_API_KEY', 'sk-or-v1-x', 'openrouter.apiKey', 'sk-or-v1-x'],
  ['OPENAI_API_KEY', 'sk-x', 'openai.apiKey', 'sk-x'],
  ['ANTHROPIC_API_KEY', 'sk-ant-x', 'anthropic.apiKey', 'sk-ant-x'],
];

test('each variable that other programs document sets its key, and is its origin', () => {
  for (const [name, text, key, value] of DOCUMENTED) {
    const entry = resolved({ [name]: text }).origins.get(key)!;
    assert.deepEqual([entry.value, entry.origin], [value, `env:${name}`], name);
  }
  assert.deepEqual([...OTHER_NAMES.keys()].sort(), DOCUMENTED.map(([name]) => name).sort());
});

test('a bad value names the variable, the value and what is allowed', () => {
  const bad: [string, string, RegExp][] = [
    [
      'KWAAI_LOAD_BALANCING',
      'fastest',
      /"fastest" is not allowed for KWAAI_LOAD_BALANCING; allowed: one of round-robin, .*env:KWAAI_LOAD_BALANCING/,
    ],
    ['KWAAI_REDUNDANCY', '4', /"4" is not allowed for KWAAI_REDUNDANCY; allowed: a whole number from 1 to 3/],
    [
      'KWAAI_PRIVACY_LEVEL',
      'high',
      /"high" is not allowed for KWAAI_PRIVACY_LEVEL; allowed: one of minimum, medium, maximum/,
    ],
    [
      'KWAAI_ENDPOINT',
      'kwaai.ai',
      /"kwaai\.ai" is not allowed for KWAAI_ENDPOINT; allowed: an http or https URL/,
    ],
    [
      'KWAAI_DISTRIBUTED_NODES',
      'https://a,b',
      /not allowed for KWAAI_DISTRIBUTED_NODES; allowed: http or https URLs/,
    ],
    ['LLM_TIMEOUT', '30s', /"30s" is not allowed for LLM_TIMEOUT; allowed: seconds from 0\.1/],
    ['LLM_TIMEOUT', '0', /"0" is not allowed for LLM_TIMEOUT/],
    [
      'LLM_MAX_RETRIES',
      'many',
      /"many" is not allowed for LLM_MAX_RETRIES; allowed: a whole number from 0 to 10/,
    ],
    ['LLM_API_KEY', 'two words planted', /^The value is not allowed for LLM_API_KEY/],
  ];
  for (const [name, text, message] of bad) {
    assert.throws(
      () => resolved({ [name]: text }),
      (error) => {
        assert.ok(error instanceof KithError && error.code === 'config_invalid');
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /planted/);
        return true;
      },
      name,
    );
  }
});

test("a key's own variable goes before that of another program, and an empty one counts as unset", () => {
  const { config, origins } = resolved({
    KITH_GATEWAY_RETRIES: '1',
    LLM_MAX_RETRIES: '5',
    KWAAI_REDUNDANCY: '',
  });
  assert.deepEqual([config.gateway.retries, config.gateway.redundancy], [1, 1]);
  assert.equal(origins.get('gateway.retries')!.origin, 'env:KITH_GATEWAY_RETRIES');
  assert.equal(origins.get('gateway.redundancy')!.origin, 'default');
});

test('keys are never shown, wherever they come from', () => {
  for (const [name, text, key] of DOCUMENTED.filter(([name]) => name.endsWith('_API_KEY'))) {
    const row = describeConfig(resolved({ [name]: text })).find((each) => each.key === key)!;
    assert.deepEqual([row.value, row.origin], ['[secret]', `env:${name}`], name);
  }
  assert.equal(
    showConfigValue('gateway.redisUrl', 'redis://me:hunter2@cache:6379/1'),
    'redis://[secret]@cache:6379/1',
  );
});

test('the variable of an agent is its name in capitals', () => {
  assert.equal(agentVariable('strategy'), 'STRATEGY_AGENT_MODEL');
  assert.equal(agentVariable('night.owl-2'), 'NIGHT_OWL_2_AGENT_MODEL');
});

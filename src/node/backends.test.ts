import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  BACKEND_KINDS,
  createLogger,
  createSeededRandom,
  KithError,
  PATTERN_CLASSES,
  silentLogger,
  systemClock,
} from '../base/index.ts';
import { type Backend, type GatewayProvider, SERVER_KINDS } from '../gateway/index.ts';
import { PII_CLASSES } from '../gateway/privacy/index.ts';
import { openBackends } from './backends.ts';
import { placeOf } from './place.ts';
import { configOf, makeHome } from './testing/config.ts';

/** Nothing of the engine is asked here but its name and its models' names. */
const local = { name: 'local', defaultModel: () => 'tiny' } as unknown as Backend;

async function providersOf(
  yaml: string,
  env: Record<string, string> = {},
  log = silentLogger,
): Promise<readonly GatewayProvider[]> {
  await using opened = await openBackends({
    config: configOf(yaml, env),
    env,
    local,
    clock: systemClock,
    random: createSeededRandom(1),
    log,
  });
  return opened.providers;
}

async function refusal(yaml: string, env: Record<string, string> = {}): Promise<string> {
  try {
    await providersOf(yaml, env);
  } catch (error) {
    assert.ok(error instanceof KithError && error.code === 'config_invalid', String(error));
    return error.message;
  }
  return assert.fail('it was accepted');
}

const namesOf = (providers: readonly GatewayProvider[]) => providers.map(({ backend }) => backend.name);
const one = (providers: readonly GatewayProvider[], name: string) =>
  providers.find(({ backend }) => backend.name === name)!;

test('the kinds of backends and of personal data in the configuration are those of the gateway', () => {
  assert.deepEqual([...BACKEND_KINDS].sort(), [...Object.keys(SERVER_KINDS), 'anthropic', 'peer'].sort());
  assert.deepEqual(PATTERN_CLASSES, PII_CLASSES);
});

test('the engine is the first backend, here, at no cost, unless it is switched off', async () => {
  const [engine, ...others] = await providersOf('');
  assert.deepEqual(others, []);
  assert.deepEqual(
    [engine!.backend, engine!.step, engine!.destination],
    [local, 'local', { kind: 'this_machine' }],
  );
  const without = await providersOf('gateway: {localEngine: false}\nbackends: [{name: a, url: http://a/v1}]');
  assert.deepEqual(namesOf(without), ['a']);
  assert.match(
    await refusal('gateway: {localEngine: false}'),
    /nobody could answer\. Configure one under backends/,
  );
});

test('what an entry says of a backend reaches the policy', async () => {
  const providers = await providersOf(`
models: {default: tiny}
backends:
  - name: home
    kind: vllm
    url: https://home.example/v1
    region: eu
    anyModel: true
    defaults: {chat: small, embedding: vec}
    aliases: {fast: small, quality: big, embedding: vec}
    prices: {big: {prompt: 0.15, completion: 0.60}, small: {prompt: 0.01, completion: 0.02}}
    facts: {big: {context: 32768, parameters: 70000000000, quality: 2, vision: true, tools: false, json: false, continues: false}}
`);
  const { backend, ...home } = one(providers, 'home');
  assert.deepEqual([backend.defaultModel('chat'), backend.defaultModel('embedding')], ['small', 'vec']);
  assert.partialDeepStrictEqual(home, {
    group: 'home',
    destination: { kind: 'provider', link: 'encrypted' },
    step: 'remote',
    ownMachine: false,
    aliases: { fast: 'small', quality: 'big', embedding: 'vec' },
    anyModel: true,
    region: 'eu',
    abilities: { continues: true },
    facts: {
      big: {
        context: 32_768,
        parameters: 7e10,
        quality: 2,
        vision: true,
        tools: false,
        json: false,
        continues: false,
        price: { prompt: 0.15, completion: 0.6 },
      },
      small: { price: { prompt: 0.01, completion: 0.02 } },
    },
  });
});

test('nodes are backends of one group', async () => {
  const providers = await providersOf('backends: [{name: farm, nodes: [http://a/v1, http://b/v1]}]');
  assert.deepEqual(
    providers.slice(1).map(({ backend, group }) => [backend.name, group]),
    [
      ['farm-1', 'farm'],
      ['farm-2', 'farm'],
    ],
  );
});

test('vendors have their address, and Anthropic its kind of backend', async () => {
  const kinds = ['openai', 'anthropic', 'mistral', 'openrouter'];
  const providers = await providersOf(
    `backends: [${kinds.map((kind) => `{name: ${kind}, kind: ${kind}}`).join(', ')}]`,
  );
  assert.deepEqual(namesOf(providers), ['local', ...kinds]);
  for (const { destination } of providers.slice(1))
    assert.deepEqual(destination, { kind: 'provider', link: 'encrypted' });
});

test('where a backend stands follows from its address and from what its owner says', () => {
  const place = (url: string, more: Partial<Parameters<typeof placeOf>[1]> = {}) =>
    placeOf(url, { owned: undefined, network: undefined, ...more });
  for (const url of ['http://localhost:1/v1', 'http://127.0.0.1/v1', 'https://[::1]:8/v1']) {
    // It may be a tunnel, or pass requests on.
    const unseen = { kind: 'provider', link: 'owned_network' };
    for (const more of [{}, { owned: false }, { network: 'owned' } as const])
      assert.deepEqual(place(url, more), unseen, url);
    assert.deepEqual(place(url, { owned: true }), { kind: 'this_machine' }, url);
  }
  assert.deepEqual(place('https://a.example'), { kind: 'provider', link: 'encrypted' });
  assert.deepEqual(place('https://a.example', { owned: true }), { kind: 'owned', link: 'encrypted' });
  assert.deepEqual(place('http://10.0.0.1'), { kind: 'provider', link: 'open' });
  assert.deepEqual(place('http://10.0.0.1', { owned: true }), { kind: 'owned', link: 'open' });
  assert.deepEqual(place('http://10.0.0.1', { network: 'owned' }), {
    kind: 'provider',
    link: 'owned_network',
  });
  assert.deepEqual(place('http://10.0.0.1', { network: 'owned', owned: true }), {
    kind: 'owned',
    link: 'owned_network',
  });
  assert.deepEqual(place('http://a.localhost/'), { kind: 'provider', link: 'open' });
  // A name that only begins like this machine's is somebody else's.
  assert.deepEqual(place('http://127.0.0.1.evil.example'), { kind: 'provider', link: 'open' });
});

test('what variables describe on this machine is a provider, until the owner says otherwise under backends', async () => {
  const here = 'http://localhost:9/v1';
  const env = {
    KWAAI_ENDPOINT: here,
    KWAAI_DISTRIBUTED_NODES: 'http://127.0.0.1:9',
    LLM_BASE_URL: here,
  };
  const providers = await providersOf(`backends: [{name: mine, url: "${here}", owned: true}]`, env);
  assert.deepEqual(
    providers.slice(1).map(({ backend, destination }) => [backend.name, destination.kind]),
    [
      ['mine', 'this_machine'],
      ['kwaai-1', 'provider'],
      ['kwaai', 'provider'],
      ['llm', 'provider'],
    ],
  );
});

test('who may be another node is told how many a request has passed; vendors are not', async () => {
  const providers = await providersOf(`
backends:
  - {name: vendor, kind: openai}
  - {name: claude, kind: anthropic}
  - {name: node, kind: openai, url: "https://kith.example/v1"}
  - {name: other, url: "https://other.example/v1"}
`);
  assert.deepEqual(
    providers.slice(1).map(({ backend, counts }) => [backend.name, counts]),
    [
      ['vendor', false],
      ['claude', false],
      ['node', true],
      ['other', true],
    ],
  );
});

test("what the owner's own machines compute costs nothing, unless the owner gives it a price", async () => {
  const providers = await providersOf(`
backends:
  - {name: here, url: "http://localhost:1/v1", owned: true}
  - {name: mine, url: https://a, owned: true, prices: {big: {prompt: 1, completion: 2}}}
  - {name: theirs, url: https://b}
`);
  const free = { prompt: 0, completion: 0 };
  assert.deepEqual(
    [one(providers, 'here').abilities!.price, one(providers, 'mine').abilities!.price],
    [free, free],
  );
  assert.deepEqual(one(providers, 'mine').facts!.big!.price, { prompt: 1, completion: 2 });
  assert.equal(one(providers, 'theirs').abilities!.price, undefined);
});

test('the owner orders backends by name, those of several nodes by theirs', async () => {
  const yaml =
    'backends: [{name: a, url: http://a}, {name: b, nodes: [http://b, http://c]}, {name: d, url: http://d}]';
  assert.deepEqual(namesOf(await providersOf(yaml)), ['local', 'a', 'b-1', 'b-2', 'd']);
  const ordered = await providersOf(`gateway: {order: [d, b, local]}\n${yaml}`);
  assert.deepEqual(namesOf(ordered), ['d', 'b-1', 'b-2', 'local', 'a']);
  assert.match(
    await refusal(`gateway: {order: [e]}\n${yaml}`),
    /gateway\.order names 'e', which is no backend here; there are: local, a, b-1, b-2, d/,
  );
});

test('every alias has an answer: the engine stands in where nobody has a model for it', async () => {
  const aliases = async (yaml: string) => (await providersOf(yaml))[0]!.aliases;
  assert.deepEqual(await aliases('models: {default: tiny, embedding: vec}'), {
    fast: 'tiny',
    quality: 'tiny',
    embedding: 'vec',
  });
  const other = 'backends: [{name: a, url: http://a, aliases: {quality: big, embedding: v2}}]';
  assert.deepEqual(await aliases(`models: {default: tiny}\n${other}`), { fast: 'tiny' });
  assert.deepEqual(await aliases(`models: {default: tiny, fast: mini, quality: own}\n${other}`), {
    fast: 'mini',
    quality: 'own',
  });
});

test('times for answers: by the size of the model, one for all, or those of the entry', async () => {
  const limits = async (yaml: string, env: Record<string, string> = {}) => {
    const provider = one(await providersOf(yaml, env), 'a');
    return [provider.abilities!.limits, provider.facts!.big?.limits];
  };
  const entry = (more: string) =>
    `backends: [{name: a, url: http://a, facts: {big: {parameters: 70000000000}}${more}}]`;
  assert.deepEqual(await limits(entry('')), [undefined, undefined]);
  const all = { firstTokenMs: 90_000, interTokenMs: 20_000, totalMs: 90_000 };
  assert.deepEqual(await limits(entry(''), { LLM_TIMEOUT: '90' }), [all, all]);
  const short = { firstTokenMs: 5000, interTokenMs: 5000, totalMs: 5000 };
  assert.deepEqual(await limits(entry(''), { KITH_GATEWAY_TIMEOUT_MS: '5000' }), [short, short]);
  const own = { firstTokenMs: 7, interTokenMs: 8, totalMs: 9 };
  assert.deepEqual(
    await limits(entry(', limits: {firstTokenMs: 7, interTokenMs: 8, totalMs: 9}'), { LLM_TIMEOUT: '90' }),
    [own, own],
  );
});

test('Kwaai variables make nodes that are balanced, and an endpoint that is asked after them', async () => {
  const env = {
    KWAAI_ENDPOINT: 'https://api.kwaai.ai/v1',
    KWAAI_DISTRIBUTED_NODES: 'https://node1.kwaai.ai,https://node2.kwaai.ai',
    KWAAI_MODEL: 'usual',
    KWAAI_FAST_MODEL: 'small',
    KWAAI_QUALITY_MODEL: 'large',
    KWAAI_EMBEDDING_MODEL: 'vec',
  };
  const providers = await providersOf('', env);
  assert.deepEqual(
    providers.slice(1).map(({ backend, group }) => [backend.name, group]),
    [
      ['kwaai-1', 'kwaai'],
      ['kwaai-2', 'kwaai'],
      ['kwaai', 'kwaai endpoint'],
    ],
  );
  for (const { backend, aliases } of providers.slice(1)) {
    assert.deepEqual(aliases, { fast: 'small', quality: 'large', embedding: 'vec' });
    assert.deepEqual([backend.defaultModel('chat'), backend.defaultModel('embedding')], ['usual', 'vec']);
  }
  const off = await providersOf('', { ...env, KWAAI_DISTRIBUTED_ENABLED: 'false' });
  assert.deepEqual(namesOf(off), ['local', 'kwaai']);
  const { KWAAI_ENDPOINT: _endpoint, ...nodesOnly } = env;
  assert.deepEqual(namesOf(await providersOf('', nodesOnly)), ['local', 'kwaai-1', 'kwaai-2']);
});

test('a key of OpenAI or Anthropic that lies in the environment adds nothing until the owner says so', async () => {
  const env = { OPENAI_API_KEY: 'sk-x', ANTHROPIC_API_KEY: 'sk-ant-x' };
  assert.deepEqual(namesOf(await providersOf('', env)), ['local']);
  const yaml = 'openai: {enabled: true, model: gpt}\nanthropic: {enabled: true, model: claude}';
  const enabled = await providersOf(yaml, env);
  assert.deepEqual(namesOf(enabled), ['local', 'openai', 'anthropic']);
  assert.deepEqual(
    [1, 2].map((index) => enabled[index]!.backend.defaultModel('chat')),
    ['gpt', 'claude'],
  );
});

test('where requests may go is said at the start, without any key', async () => {
  const lines: string[] = [];
  const log = createLogger({
    level: 'info',
    env: {},
    stderr: { write: (line: string) => lines.push(line) },
  });
  const home = makeHome('');
  writeFileSync(join(home, 'key'), 'sk-planted-in-file\n', { mode: 0o644 });
  chmodSync(join(home, 'key'), 0o644);
  await providersOf(
    `gateway: {privacy: maximum}
backends:
  - {name: plain, url: http://10.9.8.7/v1, key: sk-planted-literal}
  - {name: vendor, kind: mistral, key: "file:${join(home, 'key')}"}`,
    { OPENROUTER_API_KEY: 'sk-or-planted' },
    log,
  );
  const said = lines.join('');
  assert.match(
    said,
    /openrouter\.apiKey \(OPENROUTER_API_KEY\) is set, so requests may go to https:\/\/openrouter\.ai/,
  );
  assert.match(said, /The backend plain is never asked: its link is in the clear/);
  assert.match(said, /The backend vendor is never asked: gateway\.privacy is maximum/);
  assert.match(said, /api\.mistral\.ai/);
  if (process.platform !== 'win32') assert.match(said, /backends\[1\]\.key can be read by other users/);
  assert.doesNotMatch(said, /planted/);
});

test('a key that is not where it should be stops the node with its place and the remedy', async () => {
  const entry = (key: string) => `backends: [{name: a, url: http://a, key: "${key}"}]`;
  assert.match(
    await refusal(entry('env:NO_SUCH')),
    /^backends\[0\]\.key is read from the variable NO_SUCH, which is not set; set it/,
  );
  assert.match(
    await refusal(entry('file:/no/such')),
    /^backends\[0\]\.key names the file \/no\/such, which cannot be read/,
  );
  assert.match(
    await refusal(entry('env:TWO'), { TWO: 'a\nb' }),
    /^What backends\[0\]\.key leads to is not one line/,
  );
  assert.match(
    await refusal('backends: [{name: a, url: https://a, tls: {ca: /no/such.pem}}]'),
    /^backends\[0\]\.tls\.ca names the file \/no\/such\.pem/,
  );
  assert.match(
    await refusal('backends: [{name: llm, url: http://a}]', { LLM_BASE_URL: 'http://b/v1' }),
    /Two backends are called 'llm'/,
  );
});

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { stringify } from 'yaml';
import { fc } from '../../test/property.ts';
import { type ResolvedConfig, resolveConfig } from './config.ts';
import { setInFile } from './config-file.ts';
import { KithError } from './errors.ts';

const root = mkdtempSync(join(tmpdir(), 'kith-lists-'));
after(() => rmSync(root, { recursive: true, force: true }));
let homes = 0;
function makeHome(yaml: string): string {
  const home = join(root, String(homes++));
  mkdirSync(home);
  writeFileSync(join(home, 'config.yaml'), yaml);
  return home;
}
const read = (yaml: string, env: Record<string, string> = {}): ResolvedConfig =>
  resolveConfig({ env, home: makeHome(yaml) });

function refusal(yaml: string, env: Record<string, string> = {}): string {
  try {
    read(yaml, env);
  } catch (error) {
    assert.ok(error instanceof KithError, String(error));
    assert.equal(error.code, 'config_invalid');
    return error.message;
  }
  return assert.fail('it was accepted');
}

const WHOLE = `
backends:
  - name: home
    kind: vllm
    nodes: [http://10.0.0.1:8000/v1, http://10.0.0.2:8000/v1]
    key: env:HOME_KEY
    network: owned
    owned: true
    region: eu
    models: [small, {id: big, upstreamId: org/big-70b, task: chat, context: 32768}]
    anyModel: true
    defaults: {chat: small, embedding: embed}
    aliases: {fast: small, quality: big, embedding: embed}
    prices: {big: {prompt: 0.15, completion: 0.60}}
    facts: {big: {context: 32768, parameters: 70000000000, quality: 2, vision: true, tools: false, json: true, continues: true}}
    limits: {connectMs: 100, headersMs: 200, firstTokenMs: 300, interTokenMs: 400, totalMs: 500, maxResponseBytes: 600, maxLineBytes: 700, maxEvents: 800}
    maxConnections: 8
    headers: {x-team: blue}
    tls: {ca: /etc/ca.pem, cert: /etc/cert.pem, key: /etc/key.pem, servername: home.lan}
    healthPath: /health
    modelsTtlMs: 1000
  - name: claude
    kind: anthropic
    key: sk-planted-secret
    maxTokens: 100
    version: 2023-06-01
agents:
  strategy: {model: quality, privacy: medium, route: frontier}
budgets:
  - {money: 5, per: month}
  - {name: strategy, agent: strategy, tokens: 100000, per: day}
patterns:
  - {name: badge, pattern: "E[0-9]{5}", class: id, ignoreCase: true}
`;

test('backends, agents and budgets are read whole', () => {
  const { config } = read(WHOLE);
  assert.equal(config.backends.length, 2);
  const [home, claude] = config.backends;
  assert.deepEqual(home!.nodes, ['http://10.0.0.1:8000/v1', 'http://10.0.0.2:8000/v1']);
  assert.equal(home!.facts!.big!.parameters, 7e10);
  assert.deepEqual(home!.models![1], { id: 'big', upstreamId: 'org/big-70b', task: 'chat', context: 32768 });
  assert.deepEqual([claude!.kind, claude!.version, claude!.url], ['anthropic', '2023-06-01', undefined]);
  assert.deepEqual({ ...config.agents.strategy }, { model: 'quality', privacy: 'medium', route: 'frontier' });
  assert.deepEqual(config.budgets[1], { name: 'strategy', agent: 'strategy', tokens: 100000, per: 'day' });
  assert.deepEqual(config.patterns, [{ name: 'badge', pattern: 'E[0-9]{5}', class: 'id', ignoreCase: true }]);
  assert.throws(() => ((home as { name: string }).name = 'x'), TypeError);
});

test('what the lists hold is shown with its lines, and without keys and headers', () => {
  const { listed } = read(WHOLE.replace('x-team: blue', 'x-team: planted-secret'));
  const row = (key: string) => listed.find((each) => each.key === key)!;
  assert.match(
    row('backends.home').value,
    /^vllm http:\/\/10\.0\.0\.1:8000\/v1 .*key=\[secret\] headers=\[secret\]$/,
  );
  assert.match(row('backends.home').origin, /config\.yaml:3$/);
  assert.match(row('backends.claude').origin, /config\.yaml:22$/);
  assert.deepEqual(
    [row('agents.strategy.model').value, row('agents.strategy.route').value],
    ['quality', 'frontier'],
  );
  assert.equal(row('budgets.0').value, '5 per month for all together');
  assert.equal(row('budgets.strategy').value, '100000 tokens per day for agent strategy');
  assert.equal(row('patterns.badge').value, 'id E[0-9]{5}');
  assert.doesNotMatch(JSON.stringify(listed), /planted-secret/);
});

test('errors name the place in the list, the value, what is allowed, and the line', () => {
  const cases: [string, RegExp][] = [
    ['backends: 3', /3 is not allowed for backends; allowed: a list of backends.*config\.yaml:1/],
    ['backends: [5]', /5 is not allowed for backends\[0\]; allowed: a map with name, kind and url/],
    [
      'backends:\n  - kind: vllm\n    url: http://a/v1',
      /backends\[0\]\.name is missing; allowed: 1 to 64.*config\.yaml:2/,
    ],
    [
      'backends:\n  - name: a\n    kind: vlm\n    url: http://a',
      /"vlm" is not allowed for backends\[0\]\.kind; allowed: one of generic, .*anthropic.*config\.yaml:3/,
    ],
    [
      'backends:\n  - name: a\n    url: ftp://a',
      /"ftp:\/\/a" is not allowed for backends\[0\]\.url; allowed: an http or https URL/,
    ],
    ['backends: [{name: a, url: "http://me:hunter2@a/v1"}]', /"http:\/\/\[secret\]@a\/v1" is not allowed/],
    ['backends: [{name: a}]', /backends\[0\]\.url is missing: write the address of the generic server/],
    ['backends: [{name: a, url: http://a, nodes: [http://b]}]', /backends\[0\]\.nodes stands beside url/],
    [
      'backends: [{name: a, url: http://a, nods: [http://b]}]',
      /backends\[0\]\.nods is unknown\. Did you mean nodes\?/,
    ],
    [
      'backends: [{name: a, url: http://a, maxTokens: 5}]',
      /backends\[0\]\.maxTokens is for the kind anthropic only/,
    ],
    [
      'backends: [{name: a, kind: anthropic, defaults: {embedding: x}}]',
      /backends\[0\]\.defaults names an embedding model/,
    ],
    [
      'backends: [{name: a, url: http://a, key: "has space planted-secret"}]',
      /The value is not allowed for backends\[0\]\.key; allowed: env:NAME/,
    ],
    [
      'backends: [{name: a, url: http://a, headers: {x: "\\u0001planted-secret"}}]',
      /The value is not allowed for backends\[0\]\.headers\.x/,
    ],
    [
      'backends: [{name: a, url: http://a, limits: {totalMs: -1}}]',
      /-1 is not allowed for backends\[0\]\.limits\.totalMs; allowed: a whole number from 1/,
    ],
    [
      'backends: [{name: a, url: http://a, prices: {m: {prompt: cheap, completion: 1}}}]',
      /"cheap" is not allowed for backends\[0\]\.prices\.m\.prompt/,
    ],
    [
      'backends: [{name: a, url: http://a, models: [{context: 5}]}]',
      /backends\[0\]\.models\[0\]; allowed: a model id/,
    ],
    [
      'backends: [{name: a, url: http://a}, {name: a, url: http://b}]',
      /backends\[1\]\.name makes a backend 'a', and so does backends\[0\]/,
    ],
    [
      'backends: [{name: a, nodes: [http://a, http://b]}, {name: a-2, url: http://b}]',
      /makes a backend 'a-2', and so does backends\[0\]/,
    ],
    [
      'backends: [{name: local, url: http://a}]',
      /makes a backend 'local', and so does this machine's engine/,
    ],
    ['backends: [&x {name: a, url: http://a}, *x]', /backends\[1\] is a YAML alias/],
    ['backends: !list []', /backends has a YAML tag/],
    ['agents: [a]', /allowed for agents; allowed: a map of agents/],
    ['agents: {"a b": {model: x}}', /agents\."a b" is no name that is allowed here; allowed: 1 to 64/],
    ['agents: {__proto__: {model: x}}', /agents\.__proto__ is no name that is allowed/],
    [
      'agents: {a: {privacy: none}}',
      /"none" is not allowed for agents\.a\.privacy; allowed: one of minimum, medium, maximum/,
    ],
    ['budgets: [{per: day}]', /budgets\[0\] has neither money nor tokens: give it one/],
    [
      'budgets: [{money: 1, per: year}]',
      /"year" is not allowed for budgets\[0\]\.per; allowed: one of day, week, month, all/,
    ],
    ['patterns: [{name: a b, pattern: x}]', /"a b" is not allowed for patterns\[0\]\.name; allowed: 1 to 60/],
    [
      'patterns: [{name: a, pattern: x, class: badge}]',
      /"badge" is not allowed for patterns\[0\]\.class; allowed: one of secret, .*other/,
    ],
    ['backend: []', /Unknown key "backend"\. Did you mean backends\?/],
  ];
  for (const [yaml, message] of cases) {
    const said = refusal(yaml);
    assert.match(said, message, yaml);
    assert.doesNotMatch(said, /planted-secret|hunter2/, yaml);
  }
});

test('lists that are empty or commented out count as none', () => {
  for (const yaml of [
    'backends:\nagents:\nbudgets:\npatterns:\n',
    'backends: []\nagents: {}\nbudgets: []\npatterns: []\n',
    '',
  ]) {
    const { config, listed } = read(yaml);
    assert.deepEqual([config.backends, config.agents, config.budgets, listed], [[], {}, [], []]);
  }
});

test('setting a value leaves the lists as they are, and the lists cannot be set as one value', async () => {
  const home = makeHome(WHOLE);
  await setInFile(home, 'gateway.retries', '2');
  const { config } = resolveConfig({ env: {}, home });
  assert.deepEqual([config.gateway.retries, config.backends.length], [2, 2]);
  assert.ok(readFileSync(join(home, 'config.yaml'), 'utf8').includes('connectMs: 100'));
  await assert.rejects(
    setInFile(home, 'backends', '[]'),
    /"backends" is no single value: write it in config\.yaml/,
  );
});

test('variables give models to the agents that are known, and go before config.yaml', () => {
  const env = {
    KAI_AGENT_MODEL: 'quality',
    GUARDRAIL_AGENT_MODEL: 'qwen-14b',
    GENETIC_AGENT_MODEL: 'default',
    WELLNESS_AGENT_MODEL: 'org/model:70b',
    NIGHT_OWL_AGENT_MODEL: 'owl',
    OTHER_AGENT_MODEL: 'never read',
  };
  const { config, listed } = read('agents: {kai: {model: fast, route: local}, night.owl: {}}', env);
  const models = Object.entries(config.agents).map(([name, { model }]) => [name, model]);
  assert.deepEqual(Object.fromEntries(models), {
    kai: 'quality',
    guardrail: 'qwen-14b',
    genetic: 'default',
    wellness: 'org/model:70b',
    'night.owl': 'owl',
  });
  assert.equal(config.agents.kai!.route, 'local');
  assert.equal(listed.find(({ key }) => key === 'agents.kai.model')!.origin, 'env:KAI_AGENT_MODEL');
  assert.match(
    refusal('', { KAI_AGENT_MODEL: 'a\nb' }),
    /"a\\nb" is not allowed for KAI_AGENT_MODEL; allowed: a model or alias/,
  );
});

test('a preset fills what nobody set, and is named as the origin', () => {
  const balanced = read('gateway: {preset: balanced, complexityTarget: 0.2}\nagents: {kai: {model: mine}}');
  const { gateway, agents } = balanced.config;
  assert.deepEqual([gateway.cache, gateway.complexityTarget], ['auto', 0.2]);
  assert.deepEqual([agents.kai!.model, agents.guardrail!.model], ['mine', 'fast']);
  assert.equal(balanced.origins.get('gateway.cache')!.origin, 'preset:balanced');
  assert.match(balanced.origins.get('gateway.complexityTarget')!.origin, /config\.yaml:1$/);
  const origin = (key: string) => balanced.listed.find((row) => row.key === key)!.origin;
  assert.equal(origin('agents.guardrail.model'), 'preset:balanced');
  assert.match(origin('agents.kai.model'), /config\.yaml:2$/);

  const performance = read('', { KITH_GATEWAY_PRESET: 'performance', KWAAI_LOAD_BALANCING: 'random' });
  assert.equal(performance.config.gateway.balancing, 'random');
  assert.equal(performance.config.agents.genetic!.model, 'fast');
  const budget = read('', { KITH_GATEWAY_PRESET: 'budget' }).config;
  assert.deepEqual([budget.gateway.weightCost, budget.gateway.complexityTarget], [0.3, 0.1]);
  assert.equal(budget.agents.kai!.model, 'default');
  assert.deepEqual(read('').config.agents, {});
});

/** YAML that is wrong in every way: right fields with wrong values, wrong fields, deep and odd shapes. */
const scalar = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom('vllm', 'http://a/v1', 'env:A', 'file:/a', 'owned', '__proto__', '[', '*a', '!x'),
);
const field = fc.oneof(
  fc.constantFrom(
    'name',
    'kind',
    'url',
    'nodes',
    'key',
    'models',
    'prices',
    'facts',
    'limits',
    'per',
    'money',
    '__proto__',
    'constructor',
  ),
  fc.string(),
);
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 6 },
    scalar,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.array(fc.tuple(field, tie('tree')), { maxLength: 4 }).map((entries) => new Map(entries)),
  ),
}));

test('no YAML makes reading the lists fail in another way than by an error that names the place', () => {
  fc.assert(
    fc.property(fc.constantFrom('backends', 'agents', 'budgets', 'patterns'), tree, (name, value) => {
      const yaml = stringify(new Map([[name, value]]));
      try {
        read(yaml);
      } catch (error) {
        assert.ok(error instanceof KithError && error.code === 'config_invalid', `${error}\n${yaml}`);
        assert.ok(
          error.message.includes(name) || error.message.includes('YAML'),
          `${error.message}\n${yaml}`,
        );
      }
      assert.equal(({} as { polluted?: unknown }).polluted, undefined);
    }),
    { numRuns: 300 },
  );
});

test('no text makes reading the file fail in another way than by a typed error', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (text) => {
      try {
        read(`backends:\n  - ${text}`);
      } catch (error) {
        assert.ok(error instanceof KithError && error.code === 'config_invalid', String(error));
      }
    }),
    { numRuns: 300 },
  );
});

test('an alias, a default, a price or a fact of a model that models does not list is refused', () => {
  const entry = (more: string) =>
    `backends: [{name: a, url: 'https://a.example/v1', models: [small], ${more}}]`;
  const cases = [
    ['defaults: {chat: big}', 'backends[0].defaults.chat'],
    ['aliases: {quality: big}', 'backends[0].aliases.quality'],
    ['prices: {big: {prompt: 1, completion: 1}}', 'backends[0].prices.big'],
    ['facts: {big: {tools: false}}', 'backends[0].facts.big'],
  ] as const;
  for (const [more, place] of cases) {
    const said = refusal(entry(more));
    assert.ok(said.startsWith(`${place} names 'big', which models does not list: add it there`), said);
    assert.match(said, /config\.yaml:1\)$/);
    // Where any model may be asked, models is no list of all of them.
    assert.equal(read(entry(`anyModel: true, ${more}`)).config.backends.length, 1);
    assert.equal(read(entry(more).replace('[small]', '[small, {id: big}]')).config.backends.length, 1);
  }
});

test('names of agents have no case', () => {
  const { config } = read(
    `
agents: {Strategy: {privacy: medium}, Kai: {route: local}}
budgets: [{agent: Researcher, tokens: 5, per: day}]`,
    { KAI_AGENT_MODEL: 'big', STRATEGY_AGENT_MODEL: 'quality' },
  );
  assert.deepEqual(config.agents.strategy, { model: 'quality', privacy: 'medium' });
  assert.deepEqual(config.agents.kai, { model: 'big', route: 'local' });
  assert.deepEqual(Object.keys(config.agents).sort(), ['kai', 'strategy']);
  assert.equal(config.budgets[0]!.agent, 'researcher');
  assert.match(
    refusal('agents:\n  strategy: {privacy: medium}\n  Strategy: {route: local}'),
    /agents\.Strategy and agents\.strategy are one agent: .* \(.*config\.yaml:3\)/,
  );
});

test('thresholds that exclude each other are refused where they are read', () => {
  assert.match(
    refusal('gateway: {complexityMin: 0.9, complexityMax: 0.1}'),
    /^gateway\.complexityMin is 0\.9 and gateway\.complexityMax 0\.1; .* \(.*config\.yaml:1\)$/,
  );
  assert.match(
    refusal('gateway: {complexityMax: 0.1}', { KITH_GATEWAY_COMPLEXITY_MIN: '0.5' }),
    /env:KITH_GATEWAY_COMPLEXITY_MIN/,
  );
});

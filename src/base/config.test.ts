import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fc } from '../../test/property.ts';
import { describeConfig, resolveConfig, showConfigValue } from './config.ts';
import { nearest } from './config-check.ts';
import { CONFIG_FILE_MAX_BYTES, setInFile } from './config-file.ts';
import { CONFIG_KEYS, envName, flagName, settingOf } from './config-schema.ts';
import { KithError } from './errors.ts';
import { LIMITS, limitOf, limitValue, overLimit } from './limits.ts';

const root = mkdtempSync(join(tmpdir(), 'kith-config-'));
after(() => rmSync(root, { recursive: true, force: true }));
let homes = 0;
function makeHome(yaml?: string): string {
  const home = join(root, String(homes++));
  mkdirSync(home);
  if (yaml !== undefined) writeFileSync(join(home, 'config.yaml'), yaml);
  return home;
}
const readYaml = (home: string) => readFileSync(join(home, 'config.yaml'), 'utf8');

function refusal(work: () => unknown): KithError {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof KithError, String(error));
    assert.equal(error.code, 'config_invalid');
    return error;
  }
  return assert.fail('it was accepted');
}

test('every default passes its own check, and every key has one environment name and one flag', () => {
  for (const key of CONFIG_KEYS) {
    const setting = settingOf(key);
    assert.deepEqual(setting.schema.parse(setting.default), setting.default, key);
    assert.ok(setting.description.endsWith('.') && setting.allowed.length > 0, key);
  }
  assert.equal(new Set(CONFIG_KEYS.map(envName)).size, CONFIG_KEYS.length);
  assert.equal(new Set(CONFIG_KEYS.map(flagName)).size, CONFIG_KEYS.length);
  assert.equal(envName('server.headersTimeoutMs'), 'KITH_SERVER_HEADERS_TIMEOUT_MS');
  assert.equal(flagName('server.headersTimeoutMs'), '--server-headers-timeout-ms');
  assert.equal(flagName('server.port'), '--port');
});

test('with nothing set, everything is the default', () => {
  const { config, origins } = resolveConfig({ env: {}, home: makeHome() });
  assert.equal(config.server.port, 11435);
  assert.equal(config.models.default, 'tinyllama-1.1b-chat');
  assert.equal(config.engine.memoryBytes, null);
  assert.deepEqual(origins.get('server.port'), { value: 11435, origin: 'default' });
  assert.equal(resolveConfig({ env: {} }).config.home, join(homedir(), '.kith'));
});

test('flags win over the environment, which wins over the file, which wins over defaults', () => {
  const home = makeHome(
    '# mine\nserver:\n  port: 1\n  host: 127.0.0.2\n\nengine:\n  threads: 3\n  maxQueue: "7"\n',
  );
  const { config, origins, file } = resolveConfig({
    home,
    env: {
      KITH_SERVER_PORT: '2',
      KITH_ENGINE_THREADS: '4',
      KITH_LOG_FILE: 'no',
      KITH_LOG_LEVEL: '',
      OTHER: 'x',
    },
    flags: { 'server.port': '0', 'engine.overflow': undefined },
  });
  const seen = (
    ['server.port', 'engine.threads', 'server.host', 'engine.maxQueue', 'log.level', 'log.file'] as const
  ).map((key) => [origins.get(key)!.value, origins.get(key)!.origin]);
  assert.deepEqual(seen, [
    [0, 'flag:--port'],
    [4, 'env:KITH_ENGINE_THREADS'],
    ['127.0.0.2', `${file}:4`],
    [7, `${file}:8`],
    ['info', 'default'],
    [false, 'env:KITH_LOG_FILE'],
  ]);
  assert.equal(config.server.port, 0);
  assert.equal(config.home, home);
});

test('home comes from the flag, else from KITH_HOME, and is made absolute', () => {
  const home = makeHome('server:\n  port: 5\n');
  const fromEnv = resolveConfig({ env: { KITH_HOME: home } });
  assert.equal(fromEnv.config.server.port, 5);
  assert.equal(fromEnv.origins.get('home')!.origin, 'env:KITH_HOME');
  const fromFlag = resolveConfig({ env: { KITH_HOME: home }, home: makeHome() });
  assert.equal(fromFlag.config.server.port, 11435);
  assert.equal(resolveConfig({ env: {}, home: 'some/where' }).config.home, join(process.cwd(), 'some/where'));
  assert.equal(resolveConfig({ env: {}, home: '~/k' }).config.home, join(homedir(), 'k'));
});

test('the npm registry of this machine is the default for npm sources, and the file can change it', () => {
  const env = { npm_config_registry: 'https://npm.example/' };
  const found = resolveConfig({ env, home: makeHome() });
  assert.deepEqual(found.origins.get('models.registry'), {
    value: 'https://npm.example/',
    origin: 'env:npm_config_registry',
  });
  const home = makeHome('models:\n  registry: https://other.example\n');
  assert.equal(resolveConfig({ env, home }).config.models.registry, 'https://other.example');
  const broken = resolveConfig({ env: { npm_config_registry: 'nonsense' }, home: makeHome() });
  assert.equal(broken.config.models.registry, 'https://registry.npmjs.org');
});

test('bytes may be written with a unit, and auto is null', () => {
  const env = {
    KITH_ENGINE_MEMORY_BYTES: '1.5GiB',
    KITH_SERVER_BODY_BYTES: '64 kB',
    KITH_ENGINE_CONTEXT: 'auto',
  };
  const { config } = resolveConfig({
    env,
    home: makeHome('engine:\n  context: 99\nlog:\n  maxBytes: 2MB\n'),
  });
  assert.deepEqual(
    [config.engine.memoryBytes, config.server.bodyBytes, config.engine.context, config.log.maxBytes],
    [1_610_612_736, 64_000, null, 2_000_000],
  );
});

test('everything wrong is reported at once, with key, value, place and what is allowed', () => {
  const home = makeHome('server:\n  prot: 1\nengine:\n  threads: many\n  device: [cpu]\n');
  const error = refusal(() =>
    resolveConfig({
      home,
      env: { KITH_SERVER_PORT: '70000', KITH_ENGIN_DEVICE: 'cpu' },
      flags: { 'engine.kvType': 'f8' },
    }),
  );
  const expected = [
    /Unknown key "server\.prot"\. Did you mean server\.port\? \(.*config\.yaml:2\)/,
    /"many" is not allowed for engine\.threads; allowed: a whole number from 1 to 512\. \(.*:4\)/,
    /single value is expected here.*:5\)/,
    /"70000" is not allowed for server\.port; allowed: a whole number from 0 to 65535\. \(env:KITH_SERVER_PORT\)/,
    /Unknown environment variable KITH_ENGIN_DEVICE\. Did you mean KITH_ENGINE_DEVICE\?/,
    /"f8" is not allowed for engine\.kvType; allowed: one of f32, f16, q8_0, q4_0\. \(flag:--engine-kv-type\)/,
  ];
  for (const pattern of expected) assert.match(error.message, pattern);
  assert.equal(error.details.problems, 6);
  assert.equal(error.status, 400);
});

test('values of the wrong kind are refused, not guessed', () => {
  const cases = [
    'server: {port: 1.5}',
    'server: {port: true}',
    'server: {port: null}',
    'server: {port: -1}',
    'server: {port: ""}',
    'server: {host: ""}',
    'server: {host: "a b"}',
    'log: {file: maybe}',
    'log: {maxBytes: 10XB}',
    'models: {default: ../up}',
    'models: {hubUrl: "file:///etc/passwd"}',
    'engine: {context: 0x}',
    'engine: {memoryBytes: 12}',
  ];
  for (const yaml of cases)
    assert.match(refusal(() => resolveConfig({ env: {}, home: makeHome(yaml) })).message, /allowed/, yaml);
});

test('a file that is not a config is refused by name', () => {
  const cases: [string, RegExp][] = [
    ['- a\n- b\n', /must hold keys and values/],
    ['just text', /must hold keys and values/],
    ['server: {port: 1', /YAML/],
    ['server:\n  port: 1\n  port: 2\n', /unique/],
    ['home: /x\n', /home cannot be set in config\.yaml/],
    ['server.port: 1\n---\nserver: {}\n', /YAML/],
    ['server: !!js/function "x"\n', /tags are not allowed|YAML|Unresolved/],
    ['{[1, 2]: 3}', /must be plain text/],
    ['__proto__: {polluted: true}', /Unknown key/],
    ['server: 5', /Unknown key/],
    ['server: {port: {deep: 1}}', /single value is expected here, not a map/],
    ['server: {port: [1]}', /single value is expected here, not a list/],
    ['server: {allowedHosts: {a: 1}}', /list is expected here, not a map/],
    ['server: {allowedHosts: [[a]]}', /entry of a list must be plain text/],
    ['server: {allowedHosts: [!x a]}', /entry of a list must be plain text|Unresolved/],
    ['log: {level: &a info}\nserver: {allowedHosts: [*a]}', /entry of a list must be plain text/],
    ['server:\n  allowedHosts:\n    - http://a\n', /"http:\/\/a" is not allowed|http:\/\/a is not allowed/],
    [`server: {allowedHosts: [${'a,'.repeat(101)}]}`, /is not allowed/],
    [`${'['.repeat(30_000)}`, /cannot be parsed|YAML/],
    [`#${'x'.repeat(CONFIG_FILE_MAX_BYTES)}`, /65536 are allowed/],
  ];
  for (const [yaml, pattern] of cases) {
    assert.match(
      refusal(() => resolveConfig({ env: {}, home: makeHome(yaml) })).message,
      pattern,
      yaml.slice(0, 40),
    );
  }
  const bad = makeHome();
  writeFileSync(join(bad, 'config.yaml'), Buffer.from([0x61, 0x3a, 0xff, 0xfe]));
  assert.match(refusal(() => resolveConfig({ env: {}, home: bad })).message, /could not be read/);
});

test('a bomb of aliases is refused without being unfolded', () => {
  const levels = Array.from(
    { length: 60 },
    (_, index) => `a${index + 1}: &a${index + 1} [*a${index}, *a${index}]`,
  );
  const error = refusal(() =>
    resolveConfig({ env: {}, home: makeHome(`a0: &a0 x\n${levels.join('\n')}\n`) }),
  );
  assert.match(error.message, /Unknown key|aliases/);
  const single = refusal(() =>
    resolveConfig({ env: {}, home: makeHome('log: {keep: &a 1}\nserver: {port: *a}\n') }),
  );
  assert.match(single.message, /aliases are not allowed/);
});

test('empty files, empty sections and comments are fine', () => {
  for (const yaml of [
    '',
    '# nothing\n',
    'server:\n',
    'alerts:\n',
    'server:\n  # port: 1\nlog: {}\n',
    '---\n',
    'null\n',
  ]) {
    assert.equal(resolveConfig({ env: {}, home: makeHome(yaml) }).config.server.port, 11435, yaml);
  }
});

test('no text makes reading the file fail in another way than by a typed error', () => {
  const home = makeHome('');
  const piece = fc.constantFrom(
    'server',
    ':',
    ' ',
    '\n',
    '  ',
    'port',
    '- ',
    '&a',
    '*a',
    '{',
    '}',
    '[',
    '"',
    '1',
    '? ',
    '!!',
    '|',
    '#',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      writeFileSync(join(home, 'config.yaml'), pieces.join(''));
      try {
        resolveConfig({ env: {}, home });
      } catch (error) {
        assert.ok(error instanceof KithError && error.code === 'config_invalid', String(error));
      }
    }),
    { numRuns: 300 },
  );
});

test('the configuration cannot be changed after it is made', () => {
  const { config } = resolveConfig({ env: {}, home: makeHome() });
  assert.ok(Object.isFrozen(config) && Object.values(config).every((part) => Object.isFrozen(part)));
  assert.ok(Object.isFrozen(config.server.allowedHosts));
});

test('setting a value keeps comments and order, and writes what the node reads back', async () => {
  const home = makeHome('# top\nserver:\n  # the port\n  port: 1 # low\n  host: 127.0.0.1\n\n# end\n');
  await setInFile(home, 'server.port', '2048');
  await setInFile(home, 'log.level', 'debug');
  await setInFile(home, 'engine.memoryBytes', '2GB');
  await setInFile(home, 'engine.context', 'auto');
  assert.equal(
    readYaml(home),
    '# top\nserver:\n  # the port\n  port: 2048 # low\n  host: 127.0.0.1\nlog:\n  level: debug\nengine:\n' +
      '  memoryBytes: 2000000000\n  context: null\n\n# end\n',
  );
  const { config } = resolveConfig({ env: {}, home });
  assert.deepEqual([config.server.port, config.log.level, config.engine.memoryBytes], [2048, 'debug', 2e9]);
  await setInFile(home, 'log.level', null);
  assert.doesNotMatch(readYaml(home), /log/);
  assert.deepEqual(readdirSync(home).sort(), ['config.yaml', 'run']);
});

test('a list stands in the file as a list or with commas, and comes from the environment and flags', () => {
  for (const written of [
    '[a.lan, b.lan]',
    '\n    - a.lan\n    # two\n    - b.lan',
    'a.lan, b.lan',
    '"a.lan,b.lan,"',
  ]) {
    const resolved = resolveConfig({ env: {}, home: makeHome(`server:\n  allowedHosts: ${written}\n`) });
    assert.deepEqual(resolved.config.server.allowedHosts, ['a.lan', 'b.lan'], written);
    assert.match(resolved.origins.get('server.allowedHosts')!.origin, /config\.yaml:2$/);
    const row = describeConfig(resolved).find(({ key }) => key === 'server.allowedHosts');
    assert.equal(row!.value, 'a.lan,b.lan');
  }
  const home = makeHome('server: {allowedHosts: [a.lan]}');
  const env = { KITH_SERVER_ALLOWED_HOSTS: 'b.lan, c.lan' };
  assert.deepEqual(resolveConfig({ env, home }).config.server.allowedHosts, ['b.lan', 'c.lan']);
  const flags = { 'server.allowedHosts': 'd.lan' };
  assert.deepEqual(resolveConfig({ env, flags, home }).config.server.allowedHosts, ['d.lan']);
});

test('setting a list keeps its form and the comments of what stays', async () => {
  const home = makeHome();
  await setInFile(home, 'server.allowedHosts', 'kith.lan');
  await setInFile(home, 'server.corsOrigins', 'https://app.example.org,http://127.0.0.1:5173');
  assert.equal(
    readYaml(home),
    'server:\n  allowedHosts: [ kith.lan ]\n  corsOrigins: [ https://app.example.org, http://127.0.0.1:5173 ]\n',
  );
  await setInFile(home, 'server.corsOrigins', '');
  const { server } = resolveConfig({ env: {}, home }).config;
  assert.deepEqual([server.allowedHosts, server.corsOrigins], [['kith.lan'], []]);

  const text =
    '# ours\nserver:\n  # names\n  allowedHosts: a.lan # text\n  corsOrigins:\n    # dev\n    - http://a # first\n    - http://b # second\n';
  const kept = makeHome(text);
  await setInFile(kept, 'server.allowedHosts', 'a.lan,b.lan');
  await setInFile(kept, 'server.corsOrigins', 'http://b,http://c');
  assert.equal(
    readYaml(kept),
    '# ours\nserver:\n  # names\n  allowedHosts: [ a.lan, b.lan ] # text\n  corsOrigins:\n    # dev\n    - http://b # second\n    - http://c\n',
  );
  await assert.rejects(setInFile(kept, 'server.allowedHosts', 'http://a'), { code: 'config_invalid' });
});

test('any list that is set is read back, whatever stood there', async () => {
  const host = fc.constantFrom('a', 'kith.lan', '1e3', 'true', 'null', '0x10', 'off', '12');
  const form = fc.constantFrom(
    (hosts: string[]) => JSON.stringify(hosts),
    (hosts: string[]) => hosts.join(',') || '""',
    (hosts: string[]) => hosts.map((each) => `\n    - "${each}" # ${each}`).join('') || '[]',
  );
  const hosts = fc.uniqueArray(host, { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(hosts, form, hosts, async (before, write, wanted) => {
      const home = makeHome(`server:\n  allowedHosts: "x"\n`);
      writeFileSync(join(home, 'config.yaml'), `server:\n  allowedHosts: ${write(before)}\n  port: 1\n`);
      await setInFile(home, 'server.allowedHosts', wanted.join(','));
      const { server } = resolveConfig({ env: {}, home }).config;
      assert.deepEqual([server.allowedHosts, server.port], [wanted, 1]);
    }),
    { numRuns: 40 },
  );
});

test('setting makes the file when there is none, and unsetting the last value leaves a readable one', async () => {
  const home = join(root, 'new', 'home');
  await setInFile(home, 'server.port', 1);
  assert.equal(readYaml(home), 'server:\n  port: 1\n');
  await setInFile(home, 'server.port', null);
  assert.equal(resolveConfig({ env: {}, home }).config.server.port, 11435);
});

test('setting repairs a bad value of that key, and refuses to write a file the node would refuse', async () => {
  const home = makeHome('server:\n  port: x\n');
  await setInFile(home, 'server.port', 7);
  assert.equal(resolveConfig({ env: {}, home }).config.server.port, 7);
  const broken = makeHome('server:\n  prot: 1\n');
  await assert.rejects(setInFile(broken, 'server.port', 7), { code: 'config_invalid' });
  assert.equal(readYaml(broken), 'server:\n  prot: 1\n');
  await assert.rejects(setInFile(home, 'server.port', 'x'), { code: 'config_invalid', param: 'server.port' });
  await assert.rejects(setInFile(home, 'nothing', 1), { code: 'config_invalid', param: 'nothing' });
  await assert.rejects(setInFile(home, 'home', '/x'), { code: 'config_invalid', param: 'home' });
  assert.equal(readYaml(home), 'server:\n  port: 7\n');
});

test('settings made at once are all kept', async () => {
  const home = makeHome();
  const keys = ['server.port', 'engine.maxQueue', 'engine.maxTokens', 'log.keep', 'engine.threads'];
  await Promise.all(keys.map((key, index) => setInFile(home, key, index + 1)));
  const { config } = resolveConfig({ env: {}, home });
  assert.deepEqual(
    [
      config.server.port,
      config.engine.maxQueue,
      config.engine.maxTokens,
      config.log.keep,
      config.engine.threads,
    ],
    [1, 2, 3, 4, 5],
  );
});

test('a config.yaml that is a link stays one', { skip: process.platform === 'win32' }, async () => {
  const home = makeHome();
  writeFileSync(join(root, 'real.yaml'), '');
  symlinkSync(join(root, 'real.yaml'), join(home, 'config.yaml'));
  await setInFile(home, 'server.port', 9);
  assert.equal(readFileSync(join(root, 'real.yaml'), 'utf8'), 'server:\n  port: 9\n');
});

test('a password in a URL is never shown', () => {
  const env = { KITH_MODELS_REGISTRY: 'https://bob:hunter2@npm.example/' };
  const row = describeConfig(resolveConfig({ env, home: makeHome() })).find(
    ({ key }) => key === 'models.registry',
  )!;
  assert.equal(row.value, 'https://[secret]@npm.example/');
  assert.equal(row.origin, 'env:KITH_MODELS_REGISTRY');
  const bad = { KITH_MODELS_REGISTRY: 'ftp://bob:hunter2@npm.example/' };
  assert.ok(!refusal(() => resolveConfig({ env: bad, home: makeHome() })).message.includes('hunter2'));
  assert.equal(showConfigValue('engine.context', null), 'auto');
});

test('the documentation covers every key, with machine-dependent defaults in words', () => {
  const rows = describeConfig();
  assert.deepEqual(
    rows.map(({ key }) => key),
    CONFIG_KEYS,
  );
  assert.equal(rows.find(({ key }) => key === 'engine.threads')!.default, 'cores - 1, at least 1');
});

test('the nearest key is the one a typing mistake away', () => {
  assert.equal(nearest('server.prot', CONFIG_KEYS), 'server.port');
  assert.equal(nearest('PORT', CONFIG_KEYS), 'server.port');
  assert.equal(nearest('engine.maxtokens', CONFIG_KEYS), 'engine.maxTokens');
  assert.equal(nearest('zebra', CONFIG_KEYS), null);
  assert.equal(nearest('x'.repeat(1_000_000), CONFIG_KEYS), null);
});

test('the table of limits agrees with the configuration', () => {
  const { config } = resolveConfig({ env: { KITH_ENGINE_MAX_QUEUE: '3' }, home: makeHome() });
  assert.equal(new Set(LIMITS.map(({ name }) => name)).size, LIMITS.length);
  assert.equal(limitValue('engine.maxQueue', config), 3);
  assert.equal(limitValue('config.fileBytes', config), CONFIG_FILE_MAX_BYTES);
  assert.throws(() => limitOf('nope'), TypeError);
  const error = overLimit('engine.maxQueue', 3, 2);
  assert.deepEqual(
    [error.status, error.retryAfter, error.limit, error.value],
    [429, 2, 'engine.maxQueue', 3],
  );
  assert.match(error.message, /engine\.maxQueue = 3 requests/);
});

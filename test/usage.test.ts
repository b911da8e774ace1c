/** What a node used and what it cost, over HTTP and on the command line, while it runs and when it is down. */
import assert from 'node:assert/strict';
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createSeededRandom, resolveConfig, silentLogger, systemClock } from '../src/base/index.ts';
import type { Backend } from '../src/gateway/index.ts';
import { openGateway } from '../src/node/gateway.ts';
import { ledgerPath, type Node, readRunFile } from '../src/node/index.ts';
import type { UsageView } from '../src/server/index.ts';
import { kith, stopAll } from './cli-support.ts';
import { createHome, startNode, type TestHome } from './node-support.ts';

let home: TestHome;
let node: Node;
let token: string;
before(async () => {
  home = await createHome();
  const budgets = `
budgets:
  - { name: house, tokens: 1000000, per: month }
  - { agent: greedy, tokens: 5, per: day }
  - { agent: nobody, money: 3, per: week }
`;
  await appendFile(join(home.path, 'config.yaml'), budgets);
  node = await startNode(home);
  ({ token } = (await readRunFile(home.path))!);
});
after(async () => {
  await node.close();
  stopAll();
  await home.remove();
});

const messages = [{ role: 'user', content: 'Who are you?' }];
async function chat(agent: string | null, more: object = {}): Promise<Response> {
  return fetch(`${node.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(agent === null ? {} : { 'x-kith-agent': agent }) },
    body: JSON.stringify({ messages, max_tokens: 4, temperature: 0, ...more }),
  });
}
const usage = (query = '', bearer = token) =>
  fetch(`${node.url}/kith/v1/usage${query}`, { headers: { authorization: `Bearer ${bearer}` } });

test('requests are counted by who made them, streamed and whole alike, and budgets hold them', async () => {
  const whole = (await (await chat('writer')).json()) as {
    usage: { prompt_tokens: number; completion_tokens: number };
  };
  await (await chat('reader', { stream: true })).text();
  assert.equal((await chat('greedy')).status, 200);
  const refused = await chat('greedy');
  assert.equal(refused.status, 429);
  const { error } = (await refused.json()) as { error: { code: string; message: string } };
  assert.equal(error.code, 'budget_exceeded');
  assert.match(error.message, /'agent greedy per day' is spent/);
  assert.equal(refused.headers.get('x-should-retry'), 'false');
  assert.ok(Number(refused.headers.get('retry-after')) > 0);

  const view = (await (await usage('?by=agent')).json()) as UsageView;
  const { prompt_tokens, completion_tokens } = whole.usage;
  const rows = view.rows.map((row) => [row.name, row.requests, row.promptTokens, row.completionTokens]);
  assert.deepEqual(
    rows.sort(),
    ['greedy', 'reader', 'writer'].map((name) => [name, 1, prompt_tokens, completion_tokens]),
  );
  assert.deepEqual([view.total.cost, view.total.unpriced, view.total.uncounted], [0, 0, 0]);
  const [house, greedy, nobody] = view.budgets;
  assert.equal(house!.tokens!.spent, 3 * (prompt_tokens + completion_tokens));
  assert.deepEqual([greedy!.name, nobody!.money], ['agent greedy per day', { limit: 3, spent: 0 }]);
});

test('only the owner sees what was used', async () => {
  assert.equal((await usage('', 'another-token-that-is-as-long-as')).status, 401);
  for (const query of ['?by=prompt', '?since=yesterday', '?since=2026-02-30', '?by=key&by=day', '?of=key'])
    assert.equal((await usage(query)).status, 400, query);
});

test('the command tells the same while the node runs and when it is down', async () => {
  const at = ['--home', home.path];
  const running = JSON.parse((await kith(['usage', '--by', 'agent', '--json', ...at])).out) as UsageView;
  assert.equal(running.total.requests, 3);
  const text = (await kith(['usage', ...at])).out;
  assert.match(text, /^key +requests +prompt +cached +answer +cost\nlocal +3 /);
  assert.match(text, /\nbudget house: \d+ of 1,000,000 tokens \([\d.]+ %\), until 20\d\d-\d\d-01\n/);
  assert.match(text, /\nbudget agent greedy per day: \d+ of 5 tokens \(\d+ %\), spent, until /);
  assert.equal((await kith(['usage', '--since', 'now', ...at])).code, 2);
  const none = await kith(['usage', '--until', '2001-01-01', '--by', 'model', ...at]);
  assert.match(none.out, /^Nothing was recorded\.\n/);

  await node.close();
  const down = JSON.parse((await kith(['usage', '--by', 'agent', '--since', '7d', '--json', ...at])).out);
  assert.deepEqual(down.rows, running.rows);
  assert.equal(down.budgets, null);

  await using empty = await createHome();
  const nothing = await kith(['usage', '--home', empty.path]);
  assert.deepEqual([nothing.code, nothing.out], [0, 'Nothing was recorded.\n']);
});

test('with a damaged file a node without budgets goes on without it, and one with budgets does not start', async () => {
  const path = await mkdtemp(join(tmpdir(), 'kith-damaged-'));
  after(() => rm(path, { recursive: true, force: true }));
  await mkdir(join(path, 'gateway'));
  await writeFile(ledgerPath(path), 'no database at all, but long enough to be looked into by somebody');
  // Nobody asks it anything here.
  const local = { name: 'local', models: async () => [], defaultModel: () => null } as unknown as Backend;
  const open = () => {
    const { config } = resolveConfig({ home: path, env: {} });
    const parts = { clock: systemClock, random: createSeededRandom(1), log: silentLogger };
    return openGateway({ config, env: {}, local, embedder: null, ...parts });
  };
  await using opened = await open();
  assert.equal(opened.gateway.ledger, null);
  await writeFile(join(path, 'config.yaml'), 'budgets: [{ tokens: 5, per: day }]\n', { mode: 0o600 });
  await assert.rejects(open(), { code: 'database_corrupt' });
});

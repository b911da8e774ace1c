/** A node asks a model whose blocks its friends have: over HTTP, with everything that it could ask of the model at home. */
import assert from 'node:assert/strict';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setInFile } from '../../src/base/index.ts';
import { eventData } from '../../src/cli/sse.ts';
import { createModelStore } from '../../src/models/index.ts';
import type { Node } from '../../src/node/index.ts';
import type { CircuitView, PathPlanView, WorkView } from '../../src/server/index.ts';
import { kith, stopAll } from '../cli-support.ts';
import { testModel } from '../models/index.ts';
import { createHome, startNode, type TestHome } from '../node-support.ts';
import { peerIdOf } from '../swarm/members.ts';
import { until } from '../swarm-support.ts';
import { type Lender, type Lending, lendingOf } from './lending.ts';

let home: TestHome;
let node: Node;
let lending: Lending;
/** Blocks [0, 3) and [3, 8) of `tiny`. */
let first: Lender;
let second: Lender;
let token: string;

const PEERS = [71, 72, 73, 74, 75, 76];

async function call<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${node.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as T & { error?: { code: string; message: string } };
  if (!response.ok)
    throw Object.assign(new Error(answer.error?.message), {
      code: answer.error?.code,
      status: response.status,
    });
  return answer;
}

interface Answer {
  readonly model: string;
  readonly choices: readonly {
    readonly message: {
      readonly content: string | null;
      readonly tool_calls?: readonly { function: { name: string; arguments: string } }[];
    };
    readonly finish_reason: string;
    readonly logprobs: { content: { token: string; logprob: number }[] } | null;
  }[];
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number };
  readonly kith: {
    readonly backend: string;
    readonly route: { readonly step: string; readonly privacy: { where: string } };
    readonly path?: {
      readonly circuit: string;
      readonly span: { from: number; to: number };
      readonly shards: readonly { peer: string; from: number; to: number }[];
      readonly lost: readonly { peer: string; reason: string }[];
      readonly joined: readonly { peer: string }[];
      readonly steps: number;
    };
  };
}

const chat = (model: string, more: Record<string, unknown> = {}): Promise<Answer> =>
  call('POST', '/v1/chat/completions', {
    model,
    messages: [{ role: 'user', content: 'Tell me something about the sea.' }],
    max_tokens: 12,
    temperature: 0,
    kith: { receipt: true },
    ...more,
  });

const plan = (query = '') => call<PathPlanView>('GET', `/kith/v1/shards/plan?model=tiny${query}`);

const circuits = async () =>
  (await call<{ circuits: CircuitView[] }>('GET', '/kith/v1/shards/circuits')).circuits;
const connect = ({ swarm }: Lender) =>
  call('POST', '/kith/v1/swarm/connect', { target: swarm.addresses[0]! });

/** An answer over peers as it comes. */
async function streamed(
  tokens: number,
  onPiece: (count: number) => void | Promise<void>,
): Promise<{ readonly text: string; readonly receipt: Answer['kith'] }> {
  const response = await fetch(`${node.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'tiny@peers',
      messages: [{ role: 'user', content: 'Tell me something about the sea.' }],
      max_tokens: tokens,
      temperature: 0,
      stream: true,
      kith: { receipt: true },
    }),
  });
  let text = '';
  let count = 0;
  let receipt: Answer['kith'] | null = null;
  for await (const data of eventData(response.body!)) {
    if (data === '[DONE]') break;
    const event = JSON.parse(data);
    if (event.error) throw Object.assign(new Error(event.error.message), event.error);
    const piece = event.choices?.[0]?.delta?.content;
    if (piece) {
      text += piece;
      await onPiece(++count);
    }
    receipt = event.kith ?? receipt;
  }
  return { text, receipt: receipt! };
}

const models = async () =>
  (await call<{ data: { id: string }[] }>('GET', '/v1/models')).data.map(({ id }) => id);

/** The plan, once it is one that `fits`; what the lenders announce may have to be said again. */
const planned = (lenders: readonly Lender[], fits: (plan: PathPlanView) => boolean) =>
  until(async () => {
    await Promise.all(lenders.map(connect));
    for (const lender of lenders) lender.announce();
    return plan();
  }, fits);

before(async () => {
  home = await createHome();
  const path = await testModel('minimind2-q8_0');
  await using store = createModelStore({ home: home.path });
  const { sha256 } = (await store.get('tiny')).manifest;
  lending = await lendingOf(path, sha256);
  [first, second] = await Promise.all([lending.lend(PEERS[0]!, 0, 3), lending.lend(PEERS[1]!, 3, 8)]);
  for (const [key, value] of Object.entries({
    'swarm.enabled': true,
    'swarm.network': 'lan',
    'swarm.listen': '/ip4/127.0.0.1/tcp/0',
    'swarm.connectionsPerSecond': 1000,
    'swarm.friends': PEERS.map(peerIdOf).join(','),
    'shards.pathCells': 512,
  }))
    await setInFile(home.path, key, value);
  node = await startNode(home);
  ({ token } = JSON.parse(await readFile(join(home.path, 'run', 'node.json'), 'utf8')));
  await planned([first, second], ({ path }) => path !== null);
  await until(models, (ids) => ids.includes('tiny@peers'));
});
after(async () => {
  stopAll();
  await node.close();
  await lending[Symbol.asyncDispose]();
  await home.remove();
});

test('answers over peers are those of the model at home, and the receipt names who computed what', async () => {
  const [here, over] = [await chat('tiny'), await chat('tiny@peers')];
  assert.equal(over.choices[0]!.message.content, here.choices[0]!.message.content);
  assert.deepEqual(over.usage, here.usage);
  assert.equal(here.kith.path, undefined);
  assert.equal(over.kith.route.step, 'swarm');
  assert.equal(over.kith.route.privacy.where, 'peer');
  assert.deepEqual(over.kith.path!.shards, [
    { peer: first.peer, from: 0, to: 3 },
    { peer: second.peer, from: 3, to: 8 },
  ]);
  assert.deepEqual([over.kith.path!.lost, over.kith.path!.joined], [[], []]);
  assert.ok(over.kith.path!.steps >= 12);
});

test('sampling, choices, stops, logprobs, schemas and tools come out as at home', async () => {
  const same = async (more: Record<string, unknown>): Promise<Answer> => {
    const [here, over] = [await chat('tiny', more), await chat('tiny@peers', more)];
    assert.deepEqual(over.choices, here.choices, JSON.stringify(more));
    return over;
  };
  const two = await same({ temperature: 0.9, seed: 11, n: 2 });
  assert.equal(two.choices.length, 2);
  assert.notEqual(two.choices[0]!.message.content, two.choices[1]!.message.content);
  const told = await same({ logprobs: true, top_logprobs: 3 });
  assert.equal(told.choices[0]!.logprobs!.content.length, told.usage.completion_tokens);
  const word = told.choices[0]!.message.content!.split(' ')[2]!;
  const stopped = await same({ stop: [word] });
  assert.equal(stopped.choices[0]!.finish_reason, 'stop');
  const schema = {
    type: 'object',
    properties: { colour: { enum: ['blue', 'grey'] }, deep: { type: 'boolean' } },
    required: ['colour', 'deep'],
    additionalProperties: false,
  };
  const formed = await same({
    max_tokens: 40,
    response_format: { type: 'json_schema', json_schema: { name: 'sea', strict: true, schema } },
  });
  const { colour, deep } = JSON.parse(formed.choices[0]!.message.content!);
  assert.ok(['blue', 'grey'].includes(colour) && typeof deep === 'boolean');
  const tools = [{ type: 'function', function: { name: 'look_up', parameters: schema } }];
  const called = await call<Answer>('POST', '/v1/chat/completions', {
    model: 'tiny@peers',
    messages: [{ role: 'user', content: 'Look the sea up.' }],
    max_tokens: 60,
    temperature: 0,
    tools,
    tool_choice: 'required',
  });
  assert.equal(called.choices[0]!.message.tool_calls![0]!.function.name, 'look_up');
});

test('completions and token counts go over the path as well, and embeddings do not', async () => {
  const prompt = { prompt: 'The sea is', max_tokens: 8, temperature: 0 };
  type Completed = { choices: { text: string }[] };
  const here = await call<Completed>('POST', '/v1/completions', { model: 'tiny', ...prompt });
  const over = await call<Completed>('POST', '/v1/completions', { model: 'tiny@peers', ...prompt });
  assert.equal(over.choices[0]!.text, here.choices[0]!.text);
  await assert.rejects(call('POST', '/v1/embeddings', { model: 'tiny@peers', input: 'sea' }), (error) => {
    assert.ok(
      ['not_supported', 'wrong_model_task', 'model_not_found'].includes((error as { code: string }).code),
    );
    return true;
  });
});

test('a stream is cut off when its reader leaves, and the path serves the next one', async () => {
  const leave = new AbortController();
  const response = await fetch(`${node.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'tiny@peers',
      messages: [{ role: 'user', content: 'Count as far as you can.' }],
      max_tokens: 400,
      stream: true,
    }),
    signal: leave.signal,
  });
  const reader = response.body!.getReader();
  assert.match(Buffer.from((await reader.read()).value!).toString(), /^data: /);
  leave.abort();
  await until(circuits, (open) => open.every(({ inUse }) => inUse === 0));
  assert.equal((await chat('tiny@peers')).kith.path!.shards.length, 2);
  assert.equal((await circuits()).length, 1);
});

test('peers are asked for blocks and nothing else', () => {
  for (const peer of [first, second]) for (const method of peer.asked) assert.match(method, /^\/kith\/shard/);
  assert.ok(first.asked.size > 0 && second.asked.size > 0);
});

test('a circuit can be ordered, named by requests and closed', async () => {
  const order = {
    model: 'tiny',
    name: 'mine',
    ttlMs: 60_000,
    via: [{ peer: first.peer }, { peer: second.peer }],
  };
  const made = await call<CircuitView>('POST', '/kith/v1/shards/circuits', order);
  assert.deepEqual([made.name, made.ordered, made.cells], ['mine', true, 512]);
  await assert.rejects(call('POST', '/kith/v1/shards/circuits', order), { code: 'circuit_exists' });
  assert.equal((await chat('tiny@mine')).kith.path!.circuit, 'mine');
  await call('DELETE', '/kith/v1/shards/circuits/mine');
  await assert.rejects(chat('tiny@mine'), { status: 404 });
  await assert.rejects(call('DELETE', '/kith/v1/shards/circuits/mine'), { code: 'circuit_unknown' });
  await assert.rejects(call('POST', '/kith/v1/shards/circuits', { ...order, via: [{ peer: first.peer }] }), {
    code: 'path_gap',
    status: 503,
  });
});

test('the command line plans, orders, asks and keeps a conversation', async () => {
  const cli = async (...args: string[]) => {
    const { code, out, err } = await kith(args, undefined, { KITH_HOME: home.path });
    assert.equal(code, 0, `${args.join(' ')}: ${err}`);
    return out;
  };
  const drawn = await cli('shard', 'plan', 'tiny', '--explain');
  assert.match(drawn, new RegExp(`0-2 +${first.peer}`));
  assert.match(drawn, /without \u2026\w{8}: no path/);
  assert.match(await cli('shard', 'circuits', 'create', 'tiny', '--name', 'typed'), /typed/);
  const ask = ['shard', 'run', '--model', 'tiny', '--temperature', '0', '--max-tokens', '6', '--json'];
  const over = JSON.parse(await cli(...ask, '--circuit', 'typed', '--session', 'talk', 'Hello there.'));
  const here = JSON.parse(await cli(...ask, '--local', 'Hello there.'));
  assert.equal(over.text, here.text);
  assert.deepEqual([over.receipt.path.circuit, here.receipt.path], ['typed', undefined]);
  const again = JSON.parse(await cli(...ask, '--circuit', 'typed', '--session', 'talk', 'And then?'));
  assert.ok(again.figures.prompt_tokens > over.figures.prompt_tokens);
  assert.match(await cli('shard', 'circuits', 'list'), /typed/);
  await cli('shard', 'circuits', 'close', 'typed');
});

test('what peers computed has receipts that both signed, which a file proves without a node', async () => {
  for (const { name } of await circuits()) await call('DELETE', `/kith/v1/shards/circuits/${name}`);
  const told = await call<WorkView>('GET', '/kith/v1/shards/receipts?side=taken&limit=5000');
  assert.ok(told.receipts.length >= 4);
  assert.deepEqual([...new Set(told.receipts.map(({ state }) => state))], ['signed']);
  for (const { peer, work } of [first, second]) {
    const [sum, ...others] = work.store.totals.list({});
    const mine = told.totals.filter((total) => total.peer === peer);
    assert.deepEqual([others.length, mine.length, sum!.agreed, mine[0]!.agreed], [0, 1, true, true]);
    for (const key of ['receipts', 'prompt', 'decode', 'replayed', 'rowBlocks', 'steps', 'ms'] as const)
      assert.equal(mine[0]![key], sum![key], key);
    assert.equal(mine[0]!.modelId, 'tiny');
  }
  const shown = await kith(['shard', 'receipts', '--home', home.path, '--taken', '--totals']);
  assert.match(shown.out, /taken +12D3KooW\w+ +tiny +by both/);
  const listed = await kith([
    'shard',
    'receipts',
    '--home',
    home.path,
    '--peer',
    first.peer,
    '--since',
    '1h',
  ]);
  assert.match(listed.out, /taken +12D3KooW\w+ +tiny +0-2 /);
  const file = join(home.path, 'receipts.json');
  const { out } = await kith(['shard', 'receipts', '--home', home.path, '--limit', '5000', '--json']);
  await writeFile(file, out);
  const sound = await kith(['shard', 'receipts', '--verify', file]);
  assert.deepEqual(
    [sound.code, sound.out.trim()],
    [0, `${told.total} receipts: ${told.total} signed by both, 0 by the shard alone, 0 bad`],
  );
  const [one, ...rest] = told.receipts;
  const receipt = Buffer.from(one!.receipt, 'base64');
  receipt[receipt.length - 1]! ^= 1;
  await writeFile(
    file,
    JSON.stringify({ receipts: [{ ...one, receipt: receipt.toString('base64') }, ...rest] }),
  );
  const changed = await kith(['shard', 'receipts', '--verify', file]);
  assert.equal(changed.code, 1);
  assert.match(changed.out, /1 bad/);
  // A circuit is open again.
  await chat('tiny@peers');
});

test('a plan says what each part takes, what there is without each peer, and who was left out', async () => {
  const { path, alternatives, gaps } = await plan();
  assert.deepEqual(gaps, []);
  assert.deepEqual(
    path!.shards.map(({ peer, from, to }) => [peer, from, to]),
    [
      [first.peer, 0, 3],
      [second.peer, 3, 8],
    ],
  );
  const parts = path!.shards.reduce((sum, { computeMs, linkMs }) => sum + computeMs + linkMs, 0);
  assert.ok(parts > 0 && parts <= path!.msPerToken);
  assert.deepEqual(
    alternatives.map(({ without, msPerToken }) => [without, msPerToken]),
    [
      [first.peer, null],
      [second.peer, null],
    ],
  );
  const strict = await plan('&minTier=verified');
  assert.equal(strict.path, null);
  assert.deepEqual(
    strict.leftOut.flatMap(({ peer, reason }) => (reason === 'self' ? [] : [[peer, reason]])).sort(),
    [first, second].map(({ peer }) => [peer, 'tier']).sort(),
  );
  const through = await plan(`&via=${first.peer}:0-1,${second.peer}:3-7`);
  assert.deepEqual(through.gaps, [{ from: 2, to: 3 }]);
  assert.ok((await plan(`&via=${first.peer}:0-2,${second.peer}`)).path !== null);
  for (const wrong of ['nobody', `${first.peer}:2-1`, `${first.peer}:x-y`, ','])
    await assert.rejects(plan(`&via=${wrong}`), { status: 400 }, wrong);
  const other = await lending.lend(90, 0, 8);
  const all = await planned([other], ({ leftOut }) => leftOut.some(({ peer }) => peer === other.peer));
  assert.match(all.leftOut.find(({ peer }) => peer === other.peer)!.detail, /shards\.use is friends/);
});

test('who demands the pledge is not answered by peers that gave none', async () => {
  const asked = fetch(`${node.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-kith-privacy': 'maximum' },
    body: JSON.stringify({
      model: 'tiny@peers',
      messages: [{ role: 'user', content: 'Hello' }],
      max_tokens: 4,
    }),
  });
  const response = await asked;
  assert.equal(response.status, 403);
  const { error } = (await response.json()) as { error: { code: string } };
  assert.ok(['privacy_unmet', 'peer_unmet'].includes(error.code), error.code);
});

test('a peer dies in mid-answer: the answer is whole, and the receipt tells of it', async () => {
  const spare = await lending.lend(PEERS[2]!, 3, 8);
  await planned([spare], ({ alternatives }) => alternatives.some(({ msPerToken }) => msPerToken !== null));
  const whole = await chat('tiny', { max_tokens: 40 });
  const [{ shards }] = (await circuits()) as [CircuitView];
  const victim = [second, spare].find(({ peer }) => peer === shards[1]!.peer)!;
  const other = victim === second ? spare : second;
  const { text, receipt } = await streamed(40, (count) => (count === 8 ? victim.kill() : undefined));
  assert.equal(text, whole.choices[0]!.message.content);
  assert.deepEqual(
    receipt.path!.lost.map(({ peer }) => peer),
    [victim.peer],
  );
  assert.deepEqual(
    receipt.path!.joined.map(({ peer }) => peer),
    [other.peer],
  );
  assert.deepEqual(receipt.path!.shards.at(-1), { peer: other.peer, from: 3, to: 8 });
  second = other;
});

test('what this node serves itself is a part of the path like any other', async () => {
  await call('POST', '/kith/v1/shards/serving', { model: 'tiny', from: 3, blocks: 5 });
  const { path } = await until(plan, ({ path }) => path!.shards[1]!.peer !== second.peer);
  const { peer: self } = await call<{ peer: string }>('GET', '/kith/v1/swarm');
  assert.equal(path!.shards[1]!.peer, self);
  const through = [{ peer: first.peer }, { peer: self }];
  await call('POST', '/kith/v1/shards/circuits', { model: 'tiny', name: 'half', via: through });
  const over = await chat('tiny@half');
  assert.equal(over.choices[0]!.message.content, (await chat('tiny')).choices[0]!.message.content);
  assert.equal(over.kith.path!.shards[1]!.peer, self);
  await call('DELETE', '/kith/v1/shards/circuits/half');
  await call('POST', '/kith/v1/shards/serving/stop', { model: 'tiny', from: 3 });
  await until(plan, ({ path }) => path!.shards[1]!.peer === second.peer);
});

test('those who are busy are passed over, and the caller is told when to come again', async () => {
  for (const { name } of await circuits()) await call('DELETE', `/kith/v1/shards/circuits/${name}`);
  second.refuse(7);
  const refused = await fetch(`${node.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'tiny@peers', messages: [{ role: 'user', content: 'Hello' }] }),
  });
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '7']);
  assert.match(await refused.text(), /path_busy.*It has no room now|It has no room now.*path_busy/);
  second.refuse(null);
  assert.equal((await chat('tiny@peers')).kith.path!.shards[1]!.peer, second.peer);
});

test('when nobody can take the place, the answer ends with an error, and the next one says which blocks are missing', async () => {
  // This node itself would stand in, were its file still there.
  await using store = createModelStore({ home: home.path });
  const file = (await store.get('tiny')).path!;
  await rename(file, `${file}.away`);
  const error = await streamed(200, (count) => (count === 6 ? second.kill() : undefined)).then(
    () => null,
    (thrown: unknown) => thrown as { code: string },
  );
  assert.ok(error !== null);
  await assert.rejects(chat('tiny@peers'), (thrown: Error & { code: string }) => {
    assert.match(thrown.message, /blocks 3 to 7/);
    return true;
  });
  // At home nothing is missing: the model is in memory.
  assert.equal((await chat('tiny')).kith.backend, 'local');
  await rename(`${file}.away`, file);
});

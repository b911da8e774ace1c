import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createManualClock,
  createSeededRandom,
  isKithError,
  KithError,
  silentLogger,
} from '../base/index.ts';
import { createLedger, type Ledger, type Usage } from './accounting/index.ts';
import { createAnswerCache, createSqliteStore } from './cache/index.ts';
import { createGateway } from './gateway.ts';
import { localProvider } from './local-provider.ts';
import type { GatewayOptions, GatewayProvider } from './options.ts';
import {
  answer,
  fail,
  type Script,
  type Scripted,
  type Step,
  scripted,
} from './resilience/testing/scripted.ts';
import { OWN_TERMS, type Terms } from './terms.ts';
import type { BackendModel, ChatEvent, ChatRequest, Receipt } from './types.ts';

const clock = createManualClock();

/** A scripted backend that lists models and has a default. */
function backend(
  name: string,
  steps: Script | readonly Step[],
  models: readonly string[] = [`${name}-model`],
): Scripted {
  const base = scripted(name, clock, steps);
  const row = (id: string): BackendModel => ({
    id,
    task: 'chat',
    state: 'loaded',
    ownedBy: name,
    context: null,
    since: null,
  });
  return {
    ...base,
    has: async (model: string) => models.includes(model),
    models: async () => models.map(row),
    defaultModel: () => models[0]!,
  };
}

function provider(one: Scripted, more: Partial<GatewayProvider> = {}): GatewayProvider {
  return {
    backend: one,
    destination: { kind: 'provider', link: 'encrypted' },
    step: 'remote',
    aliases: { quality: `${one.name}-model` },
    ...more,
  };
}

function gateway(providers: readonly GatewayProvider[], more: Partial<GatewayOptions> = {}) {
  return createGateway({
    providers,
    clock,
    random: createSeededRandom(1),
    log: silentLogger,
    probeMs: 0,
    retries: 0,
    ...more,
  });
}

function request(terms: Partial<Terms> = {}, more: Partial<ChatRequest> = {}): ChatRequest {
  return {
    model: null,
    messages: [{ role: 'user', content: 'Who wrote to anna.meier@example.org?' }],
    n: 1,
    sampler: { temperature: 0 },
    maxTokens: null,
    stop: [],
    overflow: null,
    keepTokens: 0,
    timeoutMs: null,
    signal: new AbortController().signal,
    terms: { ...OWN_TERMS, ...terms },
    ...more,
  };
}

async function ask(events: AsyncIterable<ChatEvent>): Promise<{ text: string; receipt: Receipt }> {
  let text = '';
  let receipt: Receipt | null = null;
  for await (const event of events) {
    if (event.type === 'text') text += event.text;
    if (event.type === 'usage') receipt = event.receipt;
  }
  assert.ok(receipt !== null);
  return { text, receipt };
}

async function errorOf(events: AsyncIterable<ChatEvent>): Promise<KithError> {
  try {
    await ask(events);
  } catch (error) {
    assert.ok(isKithError(error), String(error));
    return error;
  }
  assert.fail('it was answered');
}

/** No budget holds anything. */
const unbounded = { allowance: () => null, left: () => null };

test('the local engine answers first, and a provider when it fails, which the receipt tells', async () => {
  const local = backend('local', (n) => (n === 0 ? answer('here') : [fail('engine_lost', 503)]));
  const far = backend('far', answer('there'));
  const both = gateway([localProvider(local), provider(far)]);
  const first = await ask(both.chat(request()));
  assert.equal(first.text, 'here');
  assert.equal(first.receipt.route?.step, 'local');
  assert.equal(first.receipt.route?.cost, 0);
  const second = await ask(both.chat(request()));
  assert.equal(second.text, 'there');
  assert.equal(second.receipt.route?.step, 'remote');
  assert.deepEqual(
    second.receipt.route?.attempts.map(({ backend, outcome, code }) => [backend, outcome, code]),
    [
      ['local', 'failed', 'engine_lost'],
      ['far', 'answered', null],
    ],
  );
  assert.deepEqual(second.receipt.route?.privacy, {
    level: 'minimum',
    where: 'provider',
    link: 'encrypted',
    replaced: null,
  });
});

test('this machine alone is asked once, and its error is the answer', async () => {
  const local = backend('local', [fail('engine_lost', 503)]);
  const alone = gateway([localProvider(local)], { retries: 3 });
  for (let i = 0; i < 8; i++) assert.equal((await errorOf(alone.chat(request()))).code, 'engine_lost');
  assert.equal(local.asked.length, 8);
});

test('at medium what leaves has placeholders, the answer has the values, the receipt has counts', async () => {
  const far = backend('far', (_, { messages }) =>
    answer(`It was ${/\[\w+\]/.exec(messages[0]!.content!)![0]}.`),
  );
  const { text, receipt } = await ask(gateway([provider(far)]).chat(request({ privacy: 'medium' })));
  assert.ok(!JSON.stringify(far.asked[0]!.messages).includes('anna'));
  assert.equal(text, 'It was anna.meier@example.org.');
  assert.deepEqual(receipt.route?.privacy.replaced, [{ class: 'email', count: 1, distinct: 1 }]);
  assert.ok(!JSON.stringify(receipt).includes('anna'));
});

test('the strictest of owner, agent and request holds, and at maximum nothing goes to a provider', async () => {
  const far = backend('far', answer('no'));
  const strict = gateway([provider(far)], {
    policy: { privacy: 'medium' },
    agents: { careful: { privacy: 'maximum' } },
  });
  assert.equal((await errorOf(strict.chat(request({ privacy: 'maximum' })))).code, 'privacy_unmet');
  assert.equal((await errorOf(strict.chat(request({ agent: 'careful' })))).status, 403);
  assert.equal(far.asked.length, 0);
  const { receipt } = await ask(strict.chat(request({ privacy: 'minimum' })));
  assert.equal(receipt.route?.privacy.level, 'medium');
});

test('a route of local never leaves, one of frontier goes to the strongest first and falls back', async () => {
  const local = backend('local', answer('here'));
  const far = backend('far', (n) => (n === 0 ? answer('there') : [fail('server_error', 500)]));
  const both = gateway([localProvider(local), provider(far)]);
  assert.equal((await ask(both.chat(request({ route: 'local' })))).text, 'here');
  assert.equal((await ask(both.chat(request({ route: 'frontier' })))).text, 'there');
  assert.equal((await ask(both.chat(request({ route: 'frontier' })))).text, 'here');
  const error = await errorOf(both.chat(request({ route: 'local' }, { model: 'far-model' })));
  assert.equal(error.code, 'model_not_local');
});

test('an agent has its own model, and an unknown model names the nearest', async () => {
  const local = backend('local', answer('small'), ['small', 'large']);
  const one = gateway([localProvider(local)], { agents: { writer: { model: 'large' } } });
  await ask(one.chat(request({ agent: 'writer' })));
  await ask(one.chat(request()));
  assert.deepEqual(
    local.asked.map(({ model }) => model),
    ['large', 'small'],
  );
  const error = await errorOf(one.chat(request({}, { model: 'larg' })));
  assert.equal(error.code, 'model_not_found');
  assert.match(error.message, /Did you mean large\?/);
  const path = await errorOf(one.chat(request({}, { model: 'large@peers' })));
  assert.deepEqual([path.code, path.status], ['path_gap', 503]);
  assert.match(path.message, /serves blocks of 'large'\./);
  const circuit = await errorOf(one.chat(request({}, { model: 'large@evening' })));
  assert.deepEqual([circuit.code, circuit.status], ['model_not_found', 404]);
  assert.match(circuit.message, /no circuit 'evening' for 'large'/);
});

test('an answer is kept for its tenant only, and its route says where it came from', async () => {
  const local = backend('local', (n) => answer(`answer ${n}`));
  await using cache = createAnswerCache({
    store: createSqliteStore({ path: ':memory:', maxBytes: 2 ** 20, clock, log: silentLogger }),
    clock,
    log: silentLogger,
  });
  const kept: Usage[] = [];
  const ledger = { record: (usage: Usage) => kept.push(usage), ...unbounded } as unknown as Ledger;
  const one = gateway([localProvider(local)], { cache, policy: { cache: 'auto' }, ledger });
  const first = await ask(one.chat(request()));
  await cache.settled();
  const second = await ask(one.chat(request()));
  assert.deepEqual([first.text, second.text], ['answer 0', 'answer 0']);
  assert.equal(first.receipt.route?.step, 'local');
  assert.equal(second.receipt.route?.step, 'cache');
  assert.equal(second.receipt.route?.cache?.status, 'hit');
  assert.equal((await ask(one.chat(request({ tenant: 'other' })))).text, 'answer 1');
  assert.equal((await ask(one.chat(request({ cache: 'off' })))).text, 'answer 2');
  assert.deepEqual(
    kept.map(({ outcome }) => outcome),
    ['answered', 'kept', 'answered', 'answered'],
  );
});

test('when nobody answers, the last good answer stands in, marked as stale', async () => {
  let works = true;
  const local = backend('local', () => (works ? answer('good') : [fail('engine_lost', 503)]));
  await using cache = createAnswerCache({
    store: createSqliteStore({ path: ':memory:', maxBytes: 2 ** 20, clock, log: silentLogger }),
    clock,
    log: silentLogger,
  });
  const one = gateway([localProvider(local)], { cache, policy: { cache: 'auto', degrade: 'stale' } });
  await ask(one.chat(request()));
  await cache.settled();
  works = false;
  await clock.advance(400 * 86_400_000);
  const { text, receipt } = await ask(one.chat(request()));
  assert.equal(text, 'good');
  assert.equal(receipt.route?.step, 'stale');
  assert.deepEqual(
    receipt.route?.attempts.map(({ backend, code }) => [backend, code]),
    [['local', 'engine_lost']],
  );
  assert.equal(receipt.route?.cache?.status, 'stale');
  assert.match(receipt.notes.at(-1)!, /No backend answered \(engine_lost\)/);
  assert.equal((await errorOf(one.chat(request({ degrade: 'none' })))).code, 'engine_lost');
});

test('what a provider charges is counted, and a request over its limit is refused', async () => {
  const far = backend('far', answer('one', 'two'));
  const used: Usage[] = [];
  const ledger = { record: (usage: Usage) => used.push(usage), ...unbounded } as unknown as Ledger;
  const priced = provider(far, {
    facts: { 'far-model': { price: { prompt: 1_000_000, completion: 2_000_000 } } },
  });
  const one = gateway([priced], { ledger });
  const { receipt } = await ask(one.chat(request({ agent: 'planner', tenant: 'k1' })));
  assert.equal(receipt.route?.cost, 7 + 2 * 2);
  assert.deepEqual(used, [
    {
      tenant: 'k1',
      agent: 'planner',
      backend: 'far',
      model: 'far-model',
      promptTokens: 7,
      cachedTokens: 0,
      completionTokens: 2,
      cost: 11,
      outcome: 'answered',
    },
  ]);
  assert.equal((await errorOf(one.chat(request({ maxCost: 1 })))).code, 'budget_exceeded');
});

test('what a caller left is charged by a guess, under the name that budgets know', async () => {
  const far = backend('far', answer('one word', ' and more'));
  const used: Usage[] = [];
  const ledger = {
    record: (usage: Usage) => used.push(usage),
    allowance: () => null,
    left: () => null,
  } as unknown as Ledger;
  const price = { prompt: 0, completion: 1_000_000 };
  const one = gateway([provider(far, { facts: { 'far-model': { price } } })], { ledger });
  for await (const event of one.chat(request())) if (event.type === 'text') break;
  assert.deepEqual(
    used.map(({ model, outcome, completionTokens, cost }) => ({ model, outcome, completionTokens, cost })),
    [{ model: 'far-model', outcome: 'left', completionTokens: null, cost: 2 }],
  );
});

test('losers of a redundant ask are charged by a guess', async () => {
  const used: Usage[] = [];
  const ledger = {
    record: (usage: Usage) => used.push(usage),
    allowance: () => null,
    left: () => null,
  } as unknown as Ledger;
  const price = { prompt: 0, completion: 1_000_000 };
  const pool = ['a', 'b', 'c'].map((name) =>
    provider(backend(name, answer('x', 'y'), ['m']), { aliases: {}, facts: { m: { price } } }),
  );
  await ask(gateway(pool, { ledger }).chat(request({ redundancy: 3, decide: 'agreement' }, { model: 'm' })));
  assert.deepEqual(
    used.map(({ outcome, cost }) => [outcome, cost]),
    [
      ['answered', 2],
      ['left', 2],
      ['left', 2],
    ],
  );
});

test('an answer is held to what its request may cost', async () => {
  const far = backend('far', answer('x'));
  const price = { prompt: 0, completion: 1_000_000 };
  const one = gateway([provider(far, { facts: { 'far-model': { price } } })]);
  const { receipt } = await ask(one.chat(request({ maxCost: 5 })));
  assert.equal(far.asked[0]!.maxTokens, 5);
  assert.match(receipt.notes.join(), /held to 5 tokens/);
  assert.equal((await errorOf(one.chat(request({ maxCost: 0.5 })))).code, 'budget_exceeded');
});

test('a conversation keeps the backend that answered it', async () => {
  const a = backend('a', answer('a'), ['m']);
  const b = backend('b', answer('b'), ['m']);
  const two = gateway([
    provider(a, { group: 'pool', aliases: {} }),
    provider(b, { group: 'pool', aliases: {} }),
  ]);
  const texts = [];
  for (let i = 0; i < 4; i++)
    texts.push((await ask(two.chat(request({ conversation: 'c' }, { model: 'm' })))).text);
  assert.equal(new Set(texts).size, 1);
});

test('random balancing with a seed takes the same way each time, and another way with another seed', async () => {
  const way = async (balancingSeed: number) => {
    const pool = ['a', 'b', 'c'].map((name) =>
      provider(backend(name, answer(name), ['m']), { group: 'pool', aliases: {} }),
    );
    // What else is drawn must not matter.
    const three = gateway(pool, {
      random: createSeededRandom(Math.floor(balancingSeed / 2)),
      policy: { balancing: 'random', balancingSeed },
    });
    const texts = [];
    for (let i = 0; i < 20; i++)
      texts.push((await ask(three.chat(request({ conversation: `c${i}` }, { model: 'm' })))).text);
    return texts.join('');
  };
  const first = await way(7);
  assert.equal(await way(7), first);
  assert.notEqual(await way(6), first, 'the same other draws, another seed');
  assert.equal(new Set(first).size, 3);
});

test('an explanation names every candidate and what it lost by, and asks nobody', async () => {
  const local = backend('local', answer('here'));
  const far = backend('far', answer('there'));
  const both = gateway([localProvider(local), provider(far)]);
  const { chosen, candidates, wishes } = await both.explain(request({ privacy: 'maximum' }));
  assert.equal(chosen?.backend, 'local');
  assert.equal(wishes.privacy, 'maximum');
  assert.equal(candidates.find(({ backend }) => backend === 'far')?.excluded?.filter, 'privacy');
  assert.equal(local.asked.length + far.asked.length, 0);
});

test('vectors of a name come from one model, whoever else would answer', async () => {
  const local = backend('local', [], ['mini']);
  const far = backend('far', [], ['big']);
  for (const one of [local, far])
    Object.assign(one, {
      embed: async ({ model }: { model: string }) => {
        if (one === local) throw new KithError('engine_lost', 'gone', { status: 503 });
        return {
          vectors: new Float32Array(1),
          dimension: 1,
          tokens: [1],
          receipt: { backend: 'far', model },
        };
      },
    });
  const both = gateway([localProvider(local), provider(far)]);
  const { signal } = new AbortController();
  await assert.rejects(both.embed({ model: null, inputs: ['x'], truncate: false, signal }), {
    code: 'engine_lost',
  });
});

test('a typing mistake is no such model, also where a backend that is never asked has a list of its models', async () => {
  const clear = backend('clear', answer('x'), ['clear-model']);
  const near = backend('near', answer('x'), ['near-model']);
  const two = gateway([
    provider(clear, { destination: { kind: 'provider', link: 'open' }, modelsConfigured: true }),
    provider(near),
  ]);
  await two.models();
  const typo = await errorOf(two.chat(request({}, { model: 'near-modle' })));
  assert.deepEqual([typo.code, typo.status], ['model_not_found', 404]);
  const own = await errorOf(two.chat(request({}, { model: 'clear-model' })));
  assert.deepEqual([own.code, own.status], ['privacy_unmet', 403]);
  assert.match(own.message, /this link is in the clear\.$/);
  assert.doesNotMatch(own.message, /\.\./);
  assert.deepEqual(
    two.backends().map(({ name, reachable }) => [name, reachable]),
    [
      ['clear', false],
      ['near', true],
    ],
  );
  assert.deepEqual(
    (await two.models()).map(({ id }) => id),
    ['near-model'],
    'models that nobody can ask for are not listed',
  );
  assert.deepEqual([clear.asked.length, near.asked.length], [0, 0]);
});

test('a spent budget of a backend is named, with the time when it begins anew', async () => {
  const far = backend('far', answer('x'));
  await using ledger = createLedger({
    path: ':memory:',
    clock,
    log: silentLogger,
    budgets: [{ name: 'vendor', backend: 'far', tokens: 1, per: 'day' }],
  });
  const one = gateway([provider(far)], { ledger });
  await ask(one.chat(request()));
  const spent = await errorOf(one.chat(request()));
  assert.deepEqual([spent.code, spent.status, spent.details.budget], ['budget_exceeded', 429, 'vendor']);
  assert.ok(spent.retryAfter! > 0 && spent.retryAfter! <= 86_400, String(spent.retryAfter));
  assert.match(
    spent.message,
    /'far': the budget 'vendor' is spent and begins anew at \d{4}-\d\d-\d\dT00:00Z\./,
  );
});

test('who keeps a request on this machine is named: its header, its agent or the owner', async () => {
  const home = backend('home', answer('home'), ['big']);
  const homes = provider(home, {
    destination: { kind: 'owned', link: 'encrypted' },
    aliases: { fast: 'big' },
  });
  const local = localProvider(backend('local', answer('here'), ['small']));
  const agents = {
    guardrail: { model: 'big', route: 'local' },
    quick: { model: 'fast', route: 'local' },
  } as const;
  const both = gateway([local, homes], { agents });
  await both.models();
  const byAgent = await errorOf(both.chat(request({ agent: 'guardrail' })));
  assert.equal(byAgent.code, 'model_not_local');
  assert.match(byAgent.message, /route: local` for the agent 'guardrail'/);
  assert.doesNotMatch(byAgent.message, /x-kith-route/);
  const byHeader = await errorOf(both.chat(request({ route: 'local' }, { model: 'big' })));
  assert.match(byHeader.message, /x-kith-route: local/);
  const owned = gateway([local, homes], { policy: { route: 'local' } });
  await owned.models();
  assert.match((await errorOf(owned.chat(request({}, { model: 'big' })))).message, /gateway\.route: local/);
  const { text } = await ask(both.chat(request({ agent: 'quick' })));
  assert.equal(text, 'here', 'an alias of other machines only is the model of this one');
});

test('an answer of another server that should be JSON and is not is told in the receipt', async () => {
  const grammar = { kind: 'json_object' } as const;
  const noted = async (text: string, more: Partial<ChatRequest>) =>
    (await ask(gateway([provider(backend('far', answer(text)))]).chat(request({}, more)))).receipt.notes;
  assert.match((await noted('Certainly!', { grammar })).join(), /it is not JSON/);
  assert.deepEqual(await noted('{"a": 1}', { grammar }), []);
  assert.deepEqual(await noted('Certainly!', {}), []);
});

/**
 * Tools over HTTP. Models with random weights write anything that is not forbidden: what holds for them holds for every
 * model.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { createModelStore } from '../src/models/index.ts';
import type { Node } from '../src/node/index.ts';
import { makeRandomModel } from './models/random-model.ts';
import { createHome, startNode, type TestHome } from './node-support.ts';
import { CONTROL, FRAGILE, NO_SYSTEM, type Style, TEMPLATES } from './tools-support.ts';

const STYLES = Object.keys(TEMPLATES) as Style[];
const VOCAB = 420;

let home: TestHome;
let node: Node;

before(async () => {
  home = await createHome();
  await using store = createModelStore({ home: home.path });
  const models = [
    ...STYLES.map((style) => [style, TEMPLATES[style]] as const),
    ['fragile', FRAGILE] as const,
    ['no-system', NO_SYSTEM] as const,
  ];
  for (const [index, [id, template]] of models.entries()) {
    const path = join(home.path, `${id}.gguf`);
    await makeRandomModel(
      {
        arch: 'llama',
        blocks: 2,
        embedding: 64,
        heads: 4,
        kvHeads: 2,
        ffn: 128,
        vocab: VOCAB,
        type: 'F32',
        seed: index + 1,
        context: 4096,
        template,
        control: id === 'fragile' || id === 'no-system' ? [] : CONTROL[id],
      },
      path,
    );
    await store.add(path, { id, link: true, task: 'chat' });
  }
  node = await startNode(home);
});
after(async () => {
  await node.close();
  await home.remove();
});

interface Call {
  readonly id: string;
  readonly type: string;
  readonly function: { name: string; arguments: string };
}
interface Message {
  readonly role: string;
  readonly content: string | null;
  readonly tool_calls?: Call[];
}
interface Choice {
  readonly index: number;
  readonly message: Message;
  readonly finish_reason: string;
  readonly logprobs: { content: { bytes: number[]; logprob: number }[] } | null;
}
interface Answer {
  readonly choices: Choice[];
  readonly usage: { prompt_tokens: number };
  readonly kith?: { notes: string[] };
}
interface Delta {
  readonly content?: string;
  readonly tool_calls?: [{ index: number; id?: string; type?: string; function: Partial<Call['function']> }];
}

const post = (body: object) =>
  fetch(`${node.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

async function ask(body: object): Promise<Answer> {
  const response = await post(body);
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as Answer;
}

async function refused(body: object): Promise<{ code: string; param: string; message: string }> {
  const response = await post(body);
  assert.equal(response.status, 400);
  return ((await response.json()) as { error: { code: string; param: string; message: string } }).error;
}

/** What the deltas of a stream come to, as one choice. The form of each is checked on the way. */
async function streamed(body: object): Promise<Omit<Choice, 'logprobs'>> {
  const response = await post({ ...body, stream: true });
  assert.equal(response.status, 200);
  let content = '';
  const calls: Call[] = [];
  const reasons: string[] = [];
  for (const line of (await response.text()).split('\n')) {
    if (!line.startsWith('data: {')) continue;
    const { choices } = JSON.parse(line.slice(6)) as {
      choices: [{ delta: Delta; finish_reason: string | null }];
    };
    const [{ delta, finish_reason }] = choices;
    content += delta.content ?? '';
    const [piece] = delta.tool_calls ?? [];
    if (piece?.id !== undefined) {
      assert.equal(piece.index, calls.length, 'calls come one after the other');
      assert.deepEqual([piece.type, piece.function.arguments], ['function', '']);
      calls.push({ id: piece.id, type: 'function', function: { name: piece.function.name!, arguments: '' } });
    } else if (piece !== undefined) {
      assert.equal(piece.index, calls.length - 1);
      assert.deepEqual(Object.keys(piece.function), ['arguments']);
      calls.at(-1)!.function.arguments += piece.function.arguments;
    }
    if (finish_reason !== null) reasons.push(finish_reason);
  }
  assert.equal(reasons.length, 1);
  const said = { role: 'assistant', content: content === '' && calls.length > 0 ? null : content };
  return {
    index: 0,
    message: calls.length === 0 ? said : { ...said, tool_calls: calls },
    finish_reason: reasons[0]!,
  };
}

const functionOf = (name: string, parameters: object, extra: object = {}) => ({
  type: 'function',
  function: { name, parameters, ...extra },
});
const SCHEMAS: Readonly<Record<string, object>> = {
  get_weather: {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    properties: {
      city: { type: 'string', description: 'Name', minLength: 1, maxLength: 6 },
      unit: { enum: ['C', 'F'], default: 'C' },
    },
    required: ['city'],
    additionalProperties: false,
  },
  move: {
    type: 'object',
    properties: {
      steps: { type: 'array', items: { type: 'integer', minimum: -9, maximum: 9 }, maxItems: 3 },
      to: { anyOf: [{ type: 'boolean' }, { $ref: '#/$defs/day' }] },
    },
    required: ['steps', 'to'],
    $defs: { day: { type: 'string', format: 'date' } },
  },
  stop: { type: 'object', properties: {} },
};
const TOOLS = Object.entries(SCHEMAS).map(([name, schema]) => functionOf(name, schema));
const ajv = new Ajv2020({ strict: false, logger: false, validateSchema: false, validateFormats: false });
const validators = new Map(
  Object.entries(SCHEMAS).map(([name, { $schema: _, ...schema }]: [string, { $schema?: string }]) => [
    name,
    ajv.compile(schema),
  ]),
);

function checkCalls({ message, finish_reason }: Pick<Choice, 'message' | 'finish_reason'>): void {
  assert.equal(finish_reason, 'tool_calls');
  for (const { id, type, function: called } of message.tool_calls ?? []) {
    assert.match(id, /^call_[A-Za-z0-9]{24}$/);
    assert.equal(type, 'function');
    const valid = validators.get(called.name)!;
    assert.ok(valid(JSON.parse(called.arguments)), `${called.name}: ${called.arguments}`);
  }
}

/** Ids differ from answer to answer. */
const withoutIds = ({ message, finish_reason }: Pick<Choice, 'message' | 'finish_reason'>) => [
  message.content,
  message.tool_calls?.map((call) => call.function),
  finish_reason,
];
const wild = { temperature: 1, top_k: 0, top_p: 1, min_p: 0, max_tokens: 400 };
const question = [{ role: 'user', content: 'Go.' }];

test('every call of a model that writes anything is valid, whole and streamed, in every style', async (context) => {
  let finished = 0;
  let calls = 0;
  let several = 0;
  for (const model of STYLES) {
    for (let seed = 1; seed <= 15; seed++) {
      // Names and arguments are written letter by letter here: three calls take as many tokens as an answer may have.
      const parallel_tool_calls = seed % 3 === 0;
      const body = {
        ...wild,
        model,
        seed,
        messages: question,
        tools: TOOLS,
        tool_choice: 'required',
        parallel_tool_calls,
      };
      const [choice] = (await ask(body)).choices;
      if (seed <= 5) assert.deepEqual(withoutIds(await streamed(body)), withoutIds(choice!));
      assert.equal(choice!.message.content, null);
      assert.ok(choice!.finish_reason === 'tool_calls' || choice!.finish_reason === 'length');
      if (choice!.finish_reason === 'length') continue;
      finished++;
      checkCalls(choice!);
      const count = choice!.message.tool_calls!.length;
      calls += count;
      if (count > 1) several++;
      if (model === 'llama3') assert.equal(count, 1);
    }
  }
  context.diagnostic(`${finished} of 60 answers finished, ${calls} calls, ${several} answers with several`);
  assert.ok(finished >= 50, `${finished}`);
  assert.ok(several >= 3, `${several}`);
});

test('a tool that is named is called once, and without parallel calls there is one', async () => {
  for (const model of STYLES) {
    const body = { ...wild, model, seed: 3, messages: question, tools: TOOLS };
    const tool_choice = { type: 'function', function: { name: 'stop' } };
    const [named] = (await ask({ ...body, tool_choice })).choices;
    checkCalls(named!);
    assert.deepEqual(
      named!.message.tool_calls!.map((call) => call.function),
      [{ name: 'stop', arguments: '{}' }],
    );
    for (let seed = 1; seed <= 4; seed++) {
      const alone = { ...body, seed, tool_choice: 'required', parallel_tool_calls: false };
      const [choice] = (await ask(alone)).choices;
      checkCalls(choice!);
      assert.equal(choice!.message.tool_calls!.length, 1);
    }
  }
});

test('free text goes before a call that begins with a control token, and none of that is in the text', async () => {
  let both = 0;
  for (const model of ['hermes', 'mistral'] as const) {
    // The token that begins a call, made as likely as some others.
    const opening = VOCAB - CONTROL[model].length;
    for (let seed = 1; seed <= 10; seed++) {
      const body = {
        ...wild,
        model,
        seed,
        messages: question,
        tools: TOOLS,
        max_tokens: 150,
        parallel_tool_calls: false,
        logit_bias: { [opening]: 4, 2: -100 },
        logprobs: true,
      };
      const [choice] = (await ask(body)).choices;
      assert.deepEqual(withoutIds(await streamed(body)), withoutIds(choice!));
      const { message, logprobs } = choice!;
      assert.doesNotMatch(message.content ?? '', /tool_call|TOOL_CALLS/);
      if (message.tool_calls === undefined) continue;
      if (choice!.finish_reason !== 'length') checkCalls(choice!);
      if (message.content === null) continue;
      both++;
      const bytes = Buffer.from(logprobs!.content.flatMap((token) => token.bytes));
      assert.equal(bytes.toString(), message.content, 'log probabilities are those of the text');
    }
  }
  assert.ok(both >= 5, `${both}`);
});

test('choices call by themselves', async () => {
  const body = { ...wild, model: 'hermes', seed: 5, n: 3, messages: question, tools: TOOLS };
  const { choices } = await ask({ ...body, tool_choice: 'required', parallel_tool_calls: false });
  for (const choice of choices) checkCalls(choice);
  assert.equal(new Set(choices.map(({ message }) => message.tool_calls![0]!.id)).size, 3);
  assert.ok(new Set(choices.map(({ message }) => message.tool_calls![0]!.function.arguments)).size > 1);
});

test('a format beside tools is the form of an answer without calls', async () => {
  const schema = { type: 'object', properties: { done: { type: 'boolean' } }, required: ['done'] };
  let texts = 0;
  let calls = 0;
  for (const model of STYLES) {
    for (let seed = 1; seed <= 6; seed++) {
      const response_format = { type: 'json_schema', json_schema: { name: 'x', schema } };
      const [choice] = (
        await ask({ ...wild, model, seed, messages: question, tools: TOOLS, response_format })
      ).choices;
      if (choice!.finish_reason === 'length') continue;
      if (choice!.message.tool_calls !== undefined) {
        calls++;
        checkCalls(choice!);
        assert.equal(choice!.message.content, null);
      } else {
        texts++;
        assert.equal(typeof (JSON.parse(choice!.message.content!) as { done: unknown }).done, 'boolean');
      }
    }
  }
  assert.ok(texts > 0 && calls > 0, `${texts} and ${calls}`);
});

test('a conversation with calls and results goes on, in every style', async () => {
  for (const model of [...STYLES, 'tiny']) {
    const call = (id: string, name: string, text: string) => ({
      id,
      ...functionOf(name, {}),
      function: { name, arguments: text },
    });
    const messages = [
      { role: 'system', content: 'Be brief.' },
      ...question,
      {
        role: 'assistant',
        content: 'I look.',
        tool_calls: [call('call_a', 'get_weather', '{"city": "Rome"}'), call('call_b', 'stop', '')],
      },
      { role: 'tool', tool_call_id: 'call_b', content: 'stopped' },
      { role: 'tool', tool_call_id: 'call_a', content: 'sunshine' },
    ];
    const without = await ask({ model, messages, max_tokens: 4 });
    const offered = await ask({ model, messages, max_tokens: 4, tools: TOOLS });
    assert.ok(offered.usage.prompt_tokens > without.usage.prompt_tokens + 100, 'tools are in the prompt');
    const none = await ask({ model, messages, max_tokens: 4, tools: TOOLS, tool_choice: 'none' });
    assert.equal(none.usage.prompt_tokens, without.usage.prompt_tokens);
  }
});

test('a schema that cannot be held to is refused where it is strict, and noted where it is not', async () => {
  const odd = { type: 'object', properties: { n: { type: 'integer', multipleOf: 3 } } };
  const body = {
    ...wild,
    model: 'hermes',
    messages: question,
    tool_choice: 'required',
    kith: { receipt: true },
  };
  const error = await refused({ ...body, tools: [functionOf('count', odd, { strict: true })] });
  assert.deepEqual([error.code, error.param], ['schema_unsupported', 'tools']);
  assert.match(error.message, /'count'.*'multipleOf'.*#\/properties\/n\/multipleOf/);
  const { choices, kith } = await ask({
    ...body,
    logit_bias: { [3 + 0x7d]: 6 },
    parallel_tool_calls: false,
    tools: [functionOf('count', odd)],
  });
  if (choices[0]!.finish_reason === 'tool_calls')
    assert.equal(typeof JSON.parse(choices[0]!.message.tool_calls![0]!.function.arguments), 'object');
  assert.match(kith!.notes.join(), /'count'.*any JSON object.*'multipleOf'/);
});

test('a template that fails on tools is done without them, and the receipt says so', async () => {
  const body = {
    ...wild,
    model: 'fragile',
    seed: 2,
    messages: question,
    tools: TOOLS,
    tool_choice: 'required',
  };
  const { choices, kith } = await ask({ ...body, parallel_tool_calls: false, kith: { receipt: true } });
  checkCalls(choices[0]!);
  assert.match(kith!.notes.join(), /template failed .* plain messages/);
  const folded = await ask({ ...body, model: 'no-system', parallel_tool_calls: false });
  checkCalls(folded.choices[0]!);
  const described = { type: 'object', properties: { a: { type: 'boolean', description: 'whether' } } };
  const fine = await ask({ ...body, tools: [functionOf('f', described)], kith: { receipt: true } });
  assert.deepEqual(fine.kith!.notes, []);
});

test('a stop text within a call cuts the answer, which then is no call', async () => {
  const body = { ...wild, model: 'hermes', seed: 1, messages: question, tools: TOOLS, stop: ['"arg'] };
  const [choice] = (await ask({ ...body, tool_choice: 'required' })).choices;
  assert.equal(choice!.finish_reason, 'length');
});

test('a small model that was trained on tools calls the one that it must', async () => {
  const messages = [{ role: 'user', content: 'What is the weather in Paris?' }];
  const tool_choice = { type: 'function', function: { name: 'get_weather' } };
  const body = { model: 'tiny', temperature: 0, seed: 1, messages, tools: TOOLS, tool_choice };
  const [choice] = (await ask(body)).choices;
  checkCalls(choice!);
  assert.deepEqual(withoutIds(await streamed(body)), withoutIds(choice!));
});

test('a small model that goes on calling in circles is stopped, and its calls stand', async () => {
  const messages = [{ role: 'user', content: 'What is the weather in Paris?' }];
  const tools = [functionOf('get_weather', SCHEMAS.get_weather!)];
  const [choice] = (
    await ask({
      model: 'tiny',
      temperature: 0,
      seed: 1,
      messages,
      tools,
      tool_choice: 'required',
      max_tokens: 2000,
    })
  ).choices;
  checkCalls(choice!);
  const texts = choice!.message.tool_calls!.map((call) => call.function.arguments);
  for (const text of texts) assert.ok(texts.filter((each) => each === text).length <= 3);
});

test('tokens are counted as they are used, tools and their template included', async () => {
  interface Usage {
    readonly input_tokens: number;
    readonly cache_read_input_tokens?: number | null;
  }
  for (const model of [...STYLES, 'fragile', 'no-system']) {
    const tools = Object.entries(SCHEMAS).map(([name, input_schema]) => ({ name, input_schema }));
    const body = { model, messages: question, tools, max_tokens: 1 };
    const send = async (path: string) => {
      const response = await fetch(node.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      assert.equal(response.status, 200, await response.clone().text());
      return (await response.json()) as Usage & { usage: Usage };
    };
    const { input_tokens: counted } = await send('/v1/messages/count_tokens');
    const { usage } = await send('/v1/messages');
    assert.ok(counted > 200);
    assert.equal(usage.input_tokens + (usage.cache_read_input_tokens ?? 0), counted);
  }
});

/** Knowledge bases of a node through the `openai` package: they are models that answer from documents and cite them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { systemClock, systemRandom } from '../../src/base/index.ts';
import type { Node } from '../../src/node/index.ts';
import {
  type JobView,
  type KeptView,
  type KeyScope,
  openKeyStore,
  type SearchView,
} from '../../src/server/index.ts';
import { ragOf } from '../knowledge/rag-support.ts';
import { createHome, startNode, type TestHome } from '../node-support.ts';

let home: TestHome;
let node: Node;
/** By what they may. */
let keys: Record<'asks' | 'fills' | 'elsewhere', string>;

const TEA = '# Green tea\n\nSteep green tea at 70 degrees for two minutes. Oolong wants four.\n';

before(async () => {
  home = await createHome();
  node = await startNode(home);
  using store = openKeyStore(home.path, { clock: systemClock, random: systemRandom });
  const make = (scopes: readonly KeyScope[], kbs: readonly string[]): string =>
    store.create({
      ...{ name: 'k', scopes, kbs, expiresAt: null },
      ...{ requestsPerMinute: null, tokensPerMinute: null },
    }).text;
  keys = {
    asks: make(['knowledge'], ['notes']),
    fills: make(['knowledge', 'ingest'], ['notes']),
    elsewhere: make(['knowledge', 'ingest'], ['other']),
  };
  const rag = await ragOf(node, home.path);
  await rag('POST', '', { name: 'notes' });
  await rag('POST', '', { name: 'other' });
});
after(async () => {
  await node?.close();
  await home?.remove();
});

const client = (apiKey = keys.asks) =>
  new OpenAI({ baseURL: `${node.url}/api/rag/v1`, apiKey, maxRetries: 0 });
const messages = [{ role: 'user' as const, content: 'How long should green tea steep?' }];
const bare = (path: string, key: string, init: RequestInit = {}) =>
  fetch(`${node.url}/api/rag/v1${path}`, { ...init, headers: { authorization: `Bearer ${key}` } });

test('a file is put in by a key that may, and by no other', async () => {
  const refused = await bare('/ingest?path=tea.md', keys.asks, { method: 'POST', body: TEA });
  assert.equal(refused.status, 403);
  const elsewhere = await bare('/ingest?path=tea.md&model=notes', keys.elsewhere, {
    ...{ method: 'POST', body: TEA },
  });
  assert.equal(elsewhere.status, 404);
  const sent = await bare('/ingest?path=tea.md', keys.fills, { method: 'POST', body: TEA });
  let job = (await sent.json()) as JobView;
  assert.equal(sent.status, 200, JSON.stringify(job));
  while (job.state === 'waiting' || job.state === 'running')
    job = (await (await bare(`/ingest/notes/${job.id}?seen=${job.step}`, keys.fills)).json()) as JobView;
  assert.equal(job.state, 'done');
});

test('the knowledge bases of a key are its models', async () => {
  const ids: string[] = [];
  for await (const model of client().models.list()) ids.push(model.id);
  assert.deepEqual(ids, ['notes']);
  assert.equal((await client().models.retrieve('notes')).object, 'model');
  await assert.rejects(client().models.retrieve('other'), OpenAI.NotFoundError);
  await assert.rejects(client('none').models.list(), OpenAI.AuthenticationError);
});

type Cited = { readonly citations: readonly string[]; readonly kith: { readonly outcome: string } };

test('an answer cites its sources in its text, as annotations and as a list', async () => {
  const answer = await client().chat.completions.create({ model: 'notes', messages, temperature: 0.1 });
  const { message, finish_reason } = answer.choices[0]!;
  assert.match(message.content!, /two minutes\. \[1\]/);
  assert.equal(finish_reason, 'stop');
  assert.equal(answer.usage, undefined);
  const { url_citation: cited } = message.annotations![0]!;
  assert.equal(message.content!.slice(cited.start_index, cited.end_index), '[1]');
  const { citations, kith } = answer as unknown as Cited;
  assert.equal(cited.url, citations[0]);
  assert.match(cited.url, /^kith:\/\/notes\/tea\.md/);
  assert.equal(kith.outcome, 'extracted');
});

test('a stream says the same and ends with its sources', async () => {
  const whole = await client().chat.completions.create({ model: 'notes', messages });
  const stream = await client().chat.completions.create({ messages, stream: true, model: 'notes' });
  let text = '';
  let last: OpenAI.ChatCompletionChunk | null = null;
  const annotated: object[] = [];
  for await (const chunk of stream) {
    const { delta } = chunk.choices[0]!;
    text += delta.content ?? '';
    annotated.push(...((delta as { annotations?: object[] }).annotations ?? []));
    last = chunk;
  }
  assert.equal(text, whole.choices[0]!.message.content);
  assert.deepEqual(annotated, whole.choices[0]!.message.annotations);
  assert.equal(last!.choices[0]!.finish_reason, 'stop');
  assert.deepEqual((last as unknown as Cited).citations, (whole as unknown as Cited).citations);
});

test('a question leans on what was said before, and one that documents do not answer gets an ordinary answer', async () => {
  const first = await client().chat.completions.create({ model: 'notes', messages });
  const next = await client().chat.completions.create({
    model: 'notes',
    messages: [
      { role: 'system', content: 'Answer in verse.' },
      ...messages,
      { role: 'assistant', content: first.choices[0]!.message.content! },
      { role: 'user', content: 'And at how many degrees?' },
    ],
  });
  assert.match(next.choices[0]!.message.content!, /70 degrees/);
  const other = await client().chat.completions.create({
    model: 'notes',
    messages: [{ role: 'user', content: 'Who was Napoleon married to?' }],
  });
  assert.match(other.choices[0]!.message.content!, /do not answer/);
  assert.equal(other.choices[0]!.finish_reason, 'stop');
  assert.equal((other as unknown as Cited).kith.outcome, 'refused');
});

test('faults are the errors that the client knows', async () => {
  const create = (body: object) =>
    client().chat.completions.create({
      model: 'notes',
      messages,
      ...body,
    } as OpenAI.ChatCompletionCreateParams);
  await assert.rejects(create({ model: 'other' }), OpenAI.NotFoundError);
  await assert.rejects(create({ n: 3 }), (error: InstanceType<typeof OpenAI.BadRequestError>) => {
    assert.deepEqual([error.code, error.param], ['unsupported_parameter', 'n']);
    return true;
  });
  await assert.rejects(create({ messages: [] }), OpenAI.BadRequestError);
});

test('an answer that was kept says so, until it is asked for anew or the documents change', async () => {
  const rag = await ragOf(node, home.path);
  await rag('DELETE', '/notes/cache');
  type Told = { readonly kith: { readonly cached: { readonly similarity: number } | null } };
  const ask = async (content: string, kith: object = {}) => {
    const body = { model: 'notes', messages: [{ role: 'user', content }], kith };
    const told = await client().chat.completions.create(
      body as OpenAI.ChatCompletionCreateParamsNonStreaming,
    );
    return { text: told.choices[0]!.message.content, cached: (told as unknown as Told).kith.cached };
  };
  const first = await ask('How long should green tea steep?');
  assert.equal(first.cached, null);
  const again = await ask('please tell me how long should green tea steep');
  assert.equal(again.text, first.text);
  assert.equal(again.cached!.similarity, 1);
  assert.equal((await ask('How long should green tea steep?', { fresh: true })).cached, null);
  assert.equal((await ask('How long should green tea steep?', { k: 2 })).cached, null);
  assert.equal((await ask('Who was Napoleon married to?')).cached, null);
  assert.equal((await ask('Who was Napoleon married to?')).cached, null, 'a refusal is not kept');
  const kept = await rag<KeptView>('GET', '/notes/cache');
  assert.deepEqual([kept.mode, kept.answers, kept.hits], ['same', 2, 0], 'made anew, it was kept anew');
  const sent = await bare('/ingest?path=more.md', keys.fills, {
    method: 'POST',
    body: '# More\n\nCoffee is hot.',
  });
  await rag.ended((await sent.json()) as JobView);
  assert.equal((await ask('How long should green tea steep?')).cached, null);
});

test('search gives passages', async () => {
  const response = await fetch(`${node.url}/api/rag/v1/search`, {
    ...{ method: 'POST', body: JSON.stringify({ query: 'oolong', k: 1 }) },
    headers: { authorization: `Bearer ${keys.asks}`, 'content-type': 'application/json' },
  });
  assert.equal(response.status, 200);
  assert.equal(((await response.json()) as SearchView).hits[0]!.path, 'tea.md');
});

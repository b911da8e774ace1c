/**
 * What a request asks of peers, over the HTTP surface of a node.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Node } from '../../src/node/index.ts';
import { createHome, startNode } from '../node-support.ts';

const parts = new AsyncDisposableStack();
let node: Node;

before(async () => {
  const home = parts.use(await createHome());
  node = parts.use(await startNode(home));
});
after(() => parts.disposeAsync());

const post = (
  path: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> =>
  fetch(`${node.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
const hello = { messages: [{ role: 'user', content: 'Hi' }], max_tokens: 1 };

test('headers and body add up to what peers must meet', async () => {
  const headers = {
    'x-kith-min-tier': 'known',
    'x-kith-max-latency-ms': '200',
    'x-kith-regions': 'eu,us',
  };
  const kith = { min_tier: 'verified', max_latency_ms: 500, regions: ['eu', 'ch'], pledge: true };
  const response = await post('/kith/v1/route/explain', { ...hello, kith }, headers);
  const { wishes } = (await response.json()) as { wishes: { peers: object; regions: string[] } };
  const peers = { minTier: 'verified', maxLatencyMs: 200, regions: ['eu'], pledge: true };
  assert.deepEqual(wishes.peers, peers);
  assert.deepEqual(wishes.regions, ['eu']);
});

test("what is asked of peers keeps nothing from this machine's own engine", async () => {
  const headers = { 'x-kith-min-tier': 'trusted', 'x-kith-pledge': 'true' };
  const response = await post('/v1/chat/completions', hello, headers);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('x-kith-step'), 'local');
  await response.text();
});

test('a tier that there is none of is refused by name, in a header as in a body', async () => {
  for (const response of [
    await post('/v1/chat/completions', hello, { 'x-kith-min-tier': 'best' }),
    await post('/v1/chat/completions', { ...hello, kith: { min_tier: 'best' } }),
    await post('/v1/embeddings', { input: 'a', kith: { min_tier: 'best' } }),
  ]) {
    assert.equal(response.status, 400);
    const { error } = (await response.json()) as { error: { param: string } };
    assert.ok(['x-kith-min-tier', 'kith.min_tier'].includes(error.param), error.param);
  }
});

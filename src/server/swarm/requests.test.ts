import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKithError } from '../../base/index.ts';
import { parseBody } from '../http/schema.ts';
import { banSchema, connectSchema, findQuery, inboxQuery, messageSchema, peersQuery } from './requests.ts';

const peer = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN';
const refuses = (work: () => unknown, param: string) =>
  assert.throws(
    work,
    (error: unknown) => isKithError(error) && error.status === 400 && error.param === param,
  );

test('a search says what is looked for, by default a chat', () => {
  const none = { blocks: null, minTier: null, maxLatencyMs: null, regions: [], pledge: false };
  assert.deepEqual(parseBody(findQuery, { model: 'tiny' }), {
    query: { ...none, model: 'tiny', serves: 'chat' },
    limit: 200,
  });
  assert.deepEqual(parseBody(findQuery, {}).query, { ...none, model: null, serves: 'storage' });
  assert.deepEqual(
    parseBody(findQuery, {
      model: 'tiny',
      blocks: '0-11',
      minTier: 'verified',
      maxLatencyMs: '200',
      regions: 'eu,us-east',
      pledge: 'true',
      limit: '3',
    }),
    {
      query: {
        model: 'tiny',
        serves: 'blocks',
        blocks: [0, 12],
        minTier: 'verified',
        maxLatencyMs: 200,
        regions: ['eu', 'us-east'],
        pledge: true,
      },
      limit: 3,
    },
  );
  assert.deepEqual(parseBody(findQuery, { model: 'tiny', blocks: '7' }).query.blocks, [7, 8]);
});

test('a search that makes no sense is refused by the name of its field', () => {
  refuses(() => parseBody(findQuery, { serves: 'chat' }), 'model');
  refuses(() => parseBody(findQuery, { model: 'm', blocks: '5-4' }), 'blocks');
  refuses(() => parseBody(findQuery, { model: 'm', blocks: '0-4', serves: 'chat' }), 'blocks');
  refuses(() => parseBody(findQuery, { model: 'm', blocks: '0-999999' }), 'blocks');
  refuses(() => parseBody(findQuery, { model: 'm', minTier: 'best' }), 'minTier');
  refuses(() => parseBody(findQuery, { model: 'm', maxLatencyMs: '0' }), 'maxLatencyMs');
  refuses(() => parseBody(findQuery, { model: 'm', regions: 'EU' }), 'regions');
  refuses(() => parseBody(findQuery, { model: 'm', pledge: 'yes' }), 'pledge');
  refuses(() => parseBody(findQuery, { model: 'm', limit: '1001' }), 'limit');
  refuses(() => parseBody(findQuery, { model: 'm', more: '1' }), 'more');
});

test('targets, messages and bans are bounded', () => {
  for (const target of [peer, `/ip4/192.0.2.1/tcp/4001/p2p/${peer}`])
    assert.deepEqual(parseBody(connectSchema, { target }), { target, deadlineMs: 15_000 });
  refuses(() => parseBody(connectSchema, { target: '/ip4/192.0.2.1/tcp/4001' }), 'target');
  refuses(() => parseBody(connectSchema, { target: peer, deadlineMs: 60_001 }), 'deadlineMs');
  assert.equal(parseBody(messageSchema, { to: peer, text: 'x'.repeat(8000) }).text.length, 8000);
  refuses(() => parseBody(messageSchema, { to: peer, text: 'x'.repeat(8001) }), 'text');
  refuses(() => parseBody(messageSchema, { to: peer, text: '' }), 'text');
  refuses(() => parseBody(messageSchema, { to: 'me', text: 'x' }), 'to');
  assert.deepEqual(parseBody(banSchema, { peer }), { peer, forMs: null });
  refuses(() => parseBody(banSchema, { peer, forMs: 999 }), 'forMs');
  assert.deepEqual(parseBody(inboxQuery, { unread: 'true' }), { unread: true, limit: 100 });
  assert.deepEqual(parseBody(peersQuery, {}), { limit: 500 });
  refuses(() => parseBody(peersQuery, { limit: '0' }), 'limit');
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createLogger, createManualClock } from '../../base/index.ts';
import type { RequestFacts } from '../types.ts';
import { openTraces, parseHeaders, parseTraceparent, tracesUrl } from './traces.ts';

const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const facts = (id: string): RequestFacts => ({
  id,
  method: 'POST',
  route: '/v1/x',
  status: 200,
  code: null,
  limit: null,
  ms: 5,
  bytesIn: 1,
  bytesOut: 1,
  caller: null,
  counted: true,
  of: {},
});

const arriving = (traceparent?: string): IncomingMessage =>
  ({
    method: 'POST',
    socket: {},
    headers: traceparent === undefined ? {} : { traceparent },
  }) as IncomingMessage;

async function setUp(t: TestContext, status: number | null, sampleRatio = 1) {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    bodies.push(body);
    // Null: never an answer.
    if (status !== null) response.writeHead(status).end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  let text = '';
  const log = createLogger({ env: {}, stderr: { write: (line) => (text += line) } });
  const clock = createManualClock();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const traces = await openTraces({ url, headers: '', sampleRatio, version: '1', clock, log });
  const one = (id: string, traceparent?: string) => {
    traces.begin(id, arriving(traceparent));
    traces.request(facts(id));
  };
  return { traces, one, bodies, logged: () => text };
}

test('traceparent is read as W3C writes it, and anything else begins a new trace', () => {
  assert.deepEqual(parseTraceparent(parent), {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    traceFlags: 1,
  });
  assert.equal(parseTraceparent(`01${parent.slice(2)}-more`)!.traceFlags, 1);
  for (const bad of [
    undefined,
    '',
    parent.toUpperCase(),
    `ff${parent.slice(2)}`,
    `${parent}-more`,
    parent.replace(/0af7\w+/, '0'.repeat(32)),
    parent.replace('b7ad6b7169203331', '0'.repeat(16)),
    `${parent} `,
    [parent, parent],
  ])
    assert.equal(parseTraceparent(bad), null, String(bad));
  fc.assert(fc.property(fc.string(), (text) => parseTraceparent(text) === null));
});

test('addresses and headers of collectors', () => {
  assert.equal(tracesUrl('http://localhost:4318'), 'http://localhost:4318/v1/traces');
  assert.equal(tracesUrl('https://x.example/otlp/v1/traces?a=b'), 'https://x.example/otlp/v1/traces?a=b');
  assert.deepEqual(parseHeaders('a=b%20c, x-key = 1=2,broken,%=%'), { a: 'b c', 'x-key': '1=2', '%': '%' });
});

test('spans arrive at the end, below the span of the caller, and only sampled ones', async (t) => {
  const { traces, one, bodies } = await setUp(t, 200, 0);
  one('req-1', parent);
  one('req-2', parent.replace(/01$/, '00'));
  one('req-3');
  await traces.close(5_000);
  assert.equal(bodies.length, 1);
  const spans = [...bodies[0]!.matchAll(/"parentSpanId":"(\w+)"/g)];
  assert.deepEqual(
    spans.map(([, id]) => id),
    ['b7ad6b7169203331'],
  );
  assert.ok(bodies[0]!.includes('"req-1"'));
  assert.equal(traces.failures, 0);
});

test('a collector that refuses costs one log line, however many batches it refuses', async (t) => {
  const { traces, one, bodies, logged } = await setUp(t, 400);
  for (let n = 0; n < 1100; n++) one(`req-${n}`);
  await traces.close(10_000);
  assert.ok(bodies.length >= 2);
  assert.ok(traces.failures >= 2);
  assert.equal(
    logged()
      .split('\n')
      .filter((line) => line.includes('traces could not be sent')).length,
    1,
  );
});

test('a collector that never answers does not hold up the end', async (t) => {
  const { traces, one } = await setUp(t, null);
  one('req-1');
  await traces.close(20);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCounting } from './counted.ts';
import { createRouter } from './http/router.ts';
import { allRoutes } from './routes.ts';
import type { ServerContext } from './types.ts';

const context = { version: '1.2.3', observers: [], closing: new AbortController().signal };
const isCounted = createCounting(createRouter(allRoutes(context as unknown as ServerContext)));

test('requests of programs count, also those that nothing fits', () => {
  for (const [method, url] of [
    ['POST', '/v1/chat/completions'],
    ['GET', '/v1/models'],
    ['GET', '/api/tags?x=/'],
    ['GET', '/openapi.json'],
    ['GET', '/nothing/here'],
    ['GET', '/%zz'],
    ['POST', '/'],
    ['DELETE', '/chat'],
  ] as const)
    assert.equal(isCounted({ method, url }), true, `${method} ${url}`);
});

test('the page with its files, probes, scrapes and the command line do not count', () => {
  for (const [method, url] of [
    ['GET', '/'],
    ['HEAD', '/'],
    ['GET', '/?from=link'],
    ['GET', '/chat/0123456789abcdef01234567'],
    ['GET', '/status/'],
    ['GET', '/assets/index-x1y2.js'],
    ['GET', '/assets/none.js'],
    ['GET', '/health'],
    ['GET', '/api/health?'],
    ['GET', '/metrics'],
    ['GET', '/kith/v1/events'],
    ['POST', '/kith/v1/shutdown'],
  ] as const)
    assert.equal(isCounted({ method, url }), false, `${method} ${url}`);
});

import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import { AbortedError, InputError, KithError, silentLogger, systemClock } from '../../base/index.ts';
import { createLadder, createSearxng, type SearxngOptions } from './index.ts';
import { MAX_QUERY } from './searxng.ts';

interface Served extends AsyncDisposable {
  readonly url: string;
  /** Paths with queries, in the order asked. */
  readonly asked: string[];
}

/** A server on a real socket that answers each request as told. */
async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Served> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(request, response);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const json = (response: ServerResponse, body: unknown) =>
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));

/** What a server of 2026 answers, shortened. */
const ANSWER = {
  query: 'ada lovelace',
  number_of_results: 0,
  results: [
    {
      url: 'https://en.wikipedia.org/wiki/Ada_Lovelace',
      title: 'Ada Lovelace - Wikipedia',
      content: 'English mathematician and writer ...',
      engine: 'wikipedia',
      parsed_url: ['https', 'en.wikipedia.org', '/wiki/Ada_Lovelace', '', '', ''],
      template: 'default.html',
      engines: ['wikipedia', 'brave'],
      positions: [1, 2],
      score: 4.5,
      category: 'general',
      publishedDate: null,
    },
    { url: 'https://example.org/ada', title: 'Ada', content: null, engine: 'brave', score: 1 },
  ],
  answers: [],
  corrections: [],
  infoboxes: [],
  suggestions: ['ada programming'],
  unresponsive_engines: [['google', 'CAPTCHA']],
};

const options = (locale: string | null = null, signal = new AbortController().signal) => ({ locale, signal });
const searxng = (baseUrl: string, more: Partial<SearxngOptions> = {}) =>
  createSearxng({ baseUrl, clock: systemClock, ...more });
/** Of an adapter that is closed after one question. */
async function ask(baseUrl: string, question = 'Who was Ada?', more: Partial<SearxngOptions> = {}) {
  await using adapter = { ...searxng(baseUrl, more) } as ReturnType<typeof searxng> & AsyncDisposable;
  return await adapter.search(question, options());
}

test('a question goes out as SearXNG asks for it, and results come back with title, address and text', async () => {
  await using server = await serve((_, response) => json(response, ANSWER));
  const adapter = searxng(`${server.url}/searx/`, { safeSearch: 2, categories: 'general,science' });
  const finding = await adapter.search('Who was\n Ada & Co?', options('de-AT'));
  await adapter[Symbol.asyncDispose]?.();
  assert.deepEqual(finding, {
    text: null,
    sources: [
      {
        title: 'Ada Lovelace - Wikipedia',
        url: 'https://en.wikipedia.org/wiki/Ada_Lovelace',
        text: 'English mathematician and writer ...',
      },
      { title: 'Ada', url: 'https://example.org/ada', text: '' },
    ],
  });
  const url = new URL(server.asked[0]!, server.url);
  assert.equal(url.pathname, '/searx/search');
  assert.deepEqual(Object.fromEntries(url.searchParams), {
    q: 'Who was Ada & Co?',
    format: 'json',
    safesearch: '2',
    language: 'de',
    categories: 'general,science',
  });
});

test('signs that are commands to SearXNG are taken out, and what is no query is not sent', async () => {
  await using server = await serve((_, response) => json(response, ANSWER));
  await ask(server.url, '!!g :fr who !images are you? 3!');
  assert.equal(new URL(server.asked[0]!, server.url).searchParams.get('q'), 'g fr who images are you? 3!');
  assert.equal(await ask(server.url, 'x'.repeat(MAX_QUERY + 1)), null);
  assert.equal(await ask(server.url, ' !: '), null);
  assert.equal(server.asked.length, 1);
});

test('direct answers with a source come first, in the form of today and none in the old one', async () => {
  await using server = await serve((_, response) =>
    json(response, {
      ...ANSWER,
      answers: [
        '42',
        { answer: 'She wrote the first program.', url: 'https://example.org/first' },
        { answer: 'no source' },
      ],
    }),
  );
  const finding = await ask(server.url, 'Who was Ada?', { results: 2 });
  assert.deepEqual(
    finding?.sources.map(({ url }) => url),
    ['https://example.org/first', 'https://en.wikipedia.org/wiki/Ada_Lovelace'],
  );
});

test('of hostile results only bounded, plain ones with addresses of pages come through', async () => {
  const results = [
    null,
    3,
    'https://example.org/',
    { title: 'no address' },
    { url: 7, title: 'odd' },
    { url: 'javascript:alert(1)', title: 'script' },
    { url: 'data:text/html,<script>', title: 'data' },
    { url: 'file:///etc/passwd', title: 'file' },
    { url: 'https://user:pw@example.org/', title: 'credentials' },
    {
      url: 'https://example.org/1',
      title: '<b>\u0000bold\u202e</b>',
      content: '![x](https://evil.example/track.png)\u001b[31m',
    },
    { url: 'https://example.org/1', title: 'again' },
    { url: 'https://example.org/2', title: 't'.repeat(50_000), content: 'c'.repeat(50_000) },
    ...Array.from({ length: 5000 }, (_, index) => ({
      url: `https://example.org/more/${index}`,
      title: 'more',
    })),
  ];
  await using server = await serve((_, response) => json(response, { results, answers: { a: 1 } }));
  await using without = await serve((_, response) => json(response, { results }));
  assert.equal(await ask(server.url), null, 'answers of another shape');
  await using ladder = createLadder({
    adapters: [searxng(without.url, { results: 8 })],
    clock: systemClock,
    log: silentLogger,
  });
  const request = {
    model: null,
    n: 1,
    sampler: {},
    maxTokens: null,
    stop: [],
    overflow: null,
    keepTokens: 0,
    timeoutMs: null,
    signal: new AbortController().signal,
    messages: [{ role: 'user', content: 'Who was Ada?' }],
  } as const;
  const standIn = await ladder.search(request, {
    error: new KithError('backends_unavailable', 'x', { status: 503 }),
    privacy: 'minimum',
    locale: 'en',
    signal: request.signal,
  });
  const text = standIn!.text;
  assert.ok(text.length < 16_000);
  assert.doesNotMatch(text, /script|data:|passwd|pw@|again|[<>[\]\u0000\u001b\u202e]/);
  assert.match(
    text,
    /1\. ‹b› ?bold‹\/b›\n {3}https:\/\/example\.org\/1\n {3}\(x\)\(https:\/\/evil\.example\/track\.png\) \(31m/,
  );
  assert.ok((text.match(/^\d+\. /gm)?.length ?? 0) <= 8);
});

test('answers that cannot be read are typed errors, and nothing of them is kept', async () => {
  const body = (type: string, bytes: string | Uint8Array) => (_: IncomingMessage, response: ServerResponse) =>
    void response.writeHead(200, { 'content-type': type }).end(bytes);
  const cases: readonly (readonly [string, Parameters<typeof serve>[0]])[] = [
    ['upstream_content_type', body('text/html', '<html>')],
    ['upstream_invalid_json', body('application/json', '{"results": [')],
    ['upstream_invalid_utf8', body('application/json', Uint8Array.of(0x22, 0xff, 0xfe, 0x22))],
    ['upstream_empty', body('application/json', '')],
    [
      'upstream_auth',
      (_, response) => void response.writeHead(403, { 'content-type': 'text/html' }).end('Forbidden'),
    ],
    ['upstream_rate_limited', (_, response) => void response.writeHead(429).end()],
    ['upstream_server_error', (_, response) => void response.writeHead(500).end('x'.repeat(1e6))],
    ['upstream_reset', (request) => void request.socket.destroy()],
  ];
  for (const [code, answer] of cases) {
    await using server = await serve(answer);
    await assert.rejects(ask(server.url), (error) => error instanceof KithError && error.code === code, code);
  }
});

test('another shape of JSON is nothing found', async () => {
  const deep = `{"results": ${'['.repeat(5000)}${']'.repeat(5000)}}`;
  for (const text of [
    'null',
    '3',
    '[]',
    '"x"',
    '{}',
    '{"results":{}}',
    '{"results":[]}',
    '{"results":[{}]}',
    deep,
  ]) {
    await using server = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(text);
    });
    assert.equal(await ask(server.url), null, text.slice(0, 50));
  }
});

test('a body without end stops at the limit, and a redirect to a private address is not followed', async () => {
  await using endless = await serve((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const more = () => {
      while (!response.destroyed && response.write('[1,2,3,'.repeat(2000)));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  });
  await assert.rejects(
    ask(endless.url, 'Who?', { limits: { maxResponseBytes: 200_000 } }),
    (error) => error instanceof KithError && error.code === 'upstream_too_large',
  );
  await using secret = await serve((_, response) => json(response, ANSWER));
  await using sly = await serve(
    (_, response) => void response.writeHead(302, { location: `${secret.url}/search?q=x` }).end(),
  );
  await assert.rejects(
    ask(sly.url),
    (error) => error instanceof KithError && error.code === 'upstream_redirect',
  );
  assert.deepEqual(secret.asked, []);
});

test('a server that stays silent is left after its limit, or when the caller leaves', async () => {
  await using silent = await serve(() => {});
  await assert.rejects(
    ask(silent.url, 'Who?', { limits: { headersMs: 50 } }),
    (error) => error instanceof KithError && error.code === 'upstream_timeout_headers',
  );
  const leaving = new AbortController();
  const adapter = searxng(silent.url);
  const pending = adapter.search('Who?', options(null, leaving.signal));
  leaving.abort();
  await assert.rejects(pending, AbortedError);
  await adapter[Symbol.asyncDispose]?.();
});

test('questions end up at search engines, so that it is a provider wherever it runs, and never in the clear', async () => {
  const destination = (baseUrl: string, more: Partial<SearxngOptions> = {}) => {
    const adapter = searxng(baseUrl, more);
    void adapter[Symbol.asyncDispose]?.();
    return adapter.destination;
  };
  assert.deepEqual(destination('http://127.0.0.1:8888'), { kind: 'provider', link: 'encrypted' });
  assert.deepEqual(destination('http://[::1]:8888'), { kind: 'provider', link: 'encrypted' });
  assert.deepEqual(destination('https://search.example'), { kind: 'provider', link: 'encrypted' });
  assert.deepEqual(destination('http://search.example'), { kind: 'provider', link: 'open' });
  assert.deepEqual(destination('http://127.0.0.1.evil.example'), { kind: 'provider', link: 'open' });
  const owned = { kind: 'owned', link: 'owned_network' } as const;
  assert.deepEqual(destination('http://192.168.1.4', { destination: owned }), owned);
  assert.throws(() => searxng('ftp://x'), InputError);
  assert.throws(() => searxng('http://user:pw@x'), InputError);
});

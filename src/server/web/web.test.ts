import assert from 'node:assert/strict';
import { readFileSync, renameSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { paths } from '../../../web/src/app/pages.ts';
import { errorAnswer } from '../http/errors.ts';
import { createExchange, sendJson } from '../http/exchange.ts';
import { defaultServerLimits } from '../http/limits.ts';
import { Response } from '../http/response.ts';
import { createRouter } from '../http/router.ts';
import { readBuild } from './files.ts';
import { contentSecurityPolicy, pagePaths, webRoutes } from './index.ts';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const html = '<!doctype html><title>Kith</title>';
const script = `export const text = ${JSON.stringify('x'.repeat(5_000))};\n`;

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kith-web-'));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

/** The routes of a build on a real socket; `get` sends the path as it is, without making it tidy first. */
async function open(files: Readonly<Record<string, string>>) {
  const folder = await folderOf(files);
  const route = createRouter(webRoutes({ version: '1.2.3' }, folder));
  const http = createHttpServer({ ServerResponse: Response }, async (incoming, response) => {
    try {
      const match = route(incoming.method!, incoming.url!);
      const caller = { key: null, name: 'local', agent: null };
      const exchange = createExchange(
        incoming,
        response,
        'id',
        { signal: new AbortController().signal, listen: () => {} },
        match,
        caller,
        { ...defaultServerLimits },
        () => {},
        () => {},
      );
      await match.route!.handler(exchange);
    } catch (error) {
      sendJson(response, errorAnswer(error, 'id').fault.status, {});
    }
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    new Promise<Answer>((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      });
      sent.on('error', reject).end();
    });
  return {
    get,
    [Symbol.asyncDispose]: async () => {
      await new Promise((resolve) => http.close(resolve));
      await rm(folder, { recursive: true });
    },
  };
}

const build = {
  'index.html': html,
  'theme.js': '1;',
  'assets/index-a1.js': script,
  'assets/f.woff2': 'font',
  'build.json': '{}',
};
const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

test('every address that the page routes is answered with its document, under the whole policy', async () => {
  await using web = await open(build);
  for (const path of pagePaths) {
    const { status, headers, body } = await web.get(path.replace(':id', 'a1'), browser);
    assert.equal(status, 200, path);
    assert.equal(body.toString(), html);
    assert.equal(headers['content-type'], 'text/html; charset=utf-8');
    assert.equal(headers['content-security-policy'], contentSecurityPolicy);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
    assert.equal(headers['cache-control'], 'no-cache');
    assert.match(String(headers['permissions-policy']), /camera=\(\)/);
  }
});

test('the page and the node name the same addresses', () => {
  assert.deepEqual([...pagePaths].sort(), Object.values(paths).sort());
});

test('programs that ask whether someone is there get 200 and a line', async () => {
  await using web = await open(build);
  const got = await web.get('/', { accept: '*/*' });
  assert.equal(got.status, 200);
  assert.equal(
    got.body.toString(),
    'Kith 1.2.3 is running. The API is under /v1; the page opens in a browser.\n',
  );
  const head = await web.get('/', {}, 'HEAD');
  assert.equal(head.status, 200);
  assert.equal(head.body.length, 0);
});

test('assets never change, are compressed where that helps, and have a validator', async () => {
  await using web = await open(build);
  const plain = await web.get('/assets/index-a1.js');
  assert.equal(plain.body.toString(), script);
  assert.equal(plain.headers['cache-control'], 'public, max-age=31536000, immutable');
  assert.equal(plain.headers['content-type'], 'text/javascript; charset=utf-8');
  const packed = await web.get('/assets/index-a1.js', { 'accept-encoding': 'br, gzip' });
  assert.equal(packed.headers['content-encoding'], 'gzip');
  assert.equal(gunzipSync(packed.body).toString(), script);
  assert.ok(packed.body.length < script.length / 10);
  for (const accept of ['identity', 'gzip;q=0', 'br', '*;q=0'])
    assert.equal(
      (await web.get('/assets/index-a1.js', { 'accept-encoding': accept })).headers['content-encoding'],
      undefined,
    );
  assert.equal(
    (await web.get('/assets/f.woff2', { 'accept-encoding': 'gzip' })).headers['content-encoding'],
    undefined,
  );
  const again = await web.get('/assets/index-a1.js', { 'if-none-match': String(plain.headers.etag) });
  assert.equal(again.status, 304);
  const head = await web.get('/assets/index-a1.js', {}, 'HEAD');
  assert.equal(head.headers['content-length'], String(script.length));
  assert.equal(head.body.length, 0);
});

test('no path leaves the build, and what is not a file of the page is not served', async () => {
  await using web = await open(build);
  for (const path of [
    '/assets/../build.json',
    '/assets/%2e%2e/build.json',
    '/assets/..%2f..%2fpackage.json',
    '/assets//etc/passwd',
    '/assets/%00',
    '/assets/constructor',
    '/build.json',
    '/assets',
    '/assets/',
    '/index.html/x',
    '/chat/a/b',
  ])
    assert.equal((await web.get(path, browser)).status, 404, path);
  assert.equal((await web.get('/assets/%zz')).status, 400);
});

test('without a build browsers get 503 and what to run, programs no promise of a page', async () => {
  await using web = await open({});
  for (const path of pagePaths) {
    const { status, body, headers } = await web.get(path.replace(':id', 'a1'), browser);
    assert.equal(status, 503, path);
    assert.match(body.toString(), /npm run build:web/);
    assert.equal(headers['content-security-policy'], contentSecurityPolicy);
    assert.equal(headers['cache-control'], 'no-store');
  }
  const line = await web.get('/', { accept: '*/*' });
  assert.equal(line.status, 200);
  assert.equal(line.body.toString(), 'Kith 1.2.3 is running. The API is under /v1.\n');
  assert.equal((await web.get('/', {}, 'HEAD')).status, 200);
});

test('a build that is replaced while it is read is read again, never half of each', async () => {
  const older = { 'index.html': 'older', 'assets/a-1.js': '1', 'assets/b-1.js': '1' };
  const newer = { 'index.html': 'newer', 'assets/a-2.js': '2' };
  // After each number of files read, from before the first to before the last.
  for (let after = 0; after < Object.keys(older).length; after++) {
    const folder = await folderOf(older);
    const next = await folderOf(newer);
    let reads = 0;
    const files = readBuild(folder, (path) => {
      if (reads++ === after) {
        rmSync(folder, { recursive: true });
        renameSync(next, folder);
      }
      return readFileSync(path);
    });
    const texts = Object.fromEntries([...files!].map(([path, { bytes }]) => [path, bytes.toString()]));
    assert.deepEqual(texts, newer);
    await rm(folder, { recursive: true });
  }
});

test('a build whose files keep vanishing is an error, and one that is gone is none', async () => {
  const folder = await folderOf({ 'index.html': 'a' });
  const gone = Object.assign(new Error('no such file'), { code: 'ENOENT' });
  assert.throws(() => readBuild(folder, () => assert.fail(gone)), gone);
  await rm(folder, { recursive: true });
  assert.equal(readBuild(folder), null);
});

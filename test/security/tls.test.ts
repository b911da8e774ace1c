/** TLS on real sockets: the certificate that is shown, what is refused, and how it is renewed under way. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { createManualClock, type KithError, silentLogger } from '../../src/base/index.ts';
import { fetchPinned } from '../../src/cli/pinned.ts';
import { readCredentials, tlsCheckMs } from '../../src/server/tls.ts';
import { chatBody, chatPath, closed, openServer } from './support.ts';

const files = join(import.meta.dirname, 'certificates');
const pair = (name: string) => ({ cert: join(files, `${name}.pem`), key: join(files, `${name}-key.pem`) });
const fingerprintOf = async (name: string) =>
  new X509Certificate(await readFile(join(files, `${name}.pem`))).fingerprint256;

async function handshake(port: number, options: object = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', () => resolve());
    socket.once('error', reject);
  });
  return socket;
}

test('a node with a certificate speaks TLS 1.2 and newer, and nothing else', async () => {
  await using node = await openServer({ tls: pair('first'), limits: { headersMs: 200, bodyMs: 200 } });
  assert.match(node.url, /^https:/);
  const ca = await readFile(join(files, 'first.pem'));
  const status = await new Promise((resolve, reject) => {
    request(`${node.url}/v1/models`, { ca, headers: { host: 'localhost' } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
  assert.equal(status, 200);
  const modern = await handshake(node.port, { maxVersion: 'TLSv1.2' });
  assert.equal(modern.getProtocol(), 'TLSv1.2');
  modern.destroy();
  await assert.rejects(
    handshake(node.port, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
  );
  // Plain HTTP, and nothing at all, end without an answer.
  for (const bytes of ['GET / HTTP/1.1\r\nhost: localhost\r\n\r\n', '']) {
    const socket = connectTcp(node.port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.write(bytes);
    await closed(socket);
    assert.doesNotMatch(answer, /HTTP/);
  }
});

test('limits hold under TLS: slow headers, garbage', async () => {
  await using node = await openServer({ tls: pair('first'), limits: { headersMs: 100, bodyMs: 100 } });
  for (const [bytes, expected] of [
    ['GET / HTTP/1.1\r\nhost:', /^HTTP\/1\.1 408 /],
    ['garbage\r\n\r\n', /^HTTP\/1\.1 400 /],
  ] as const) {
    const socket = await handshake(node.port);
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.write(bytes);
    await closed(socket);
    assert.match(answer, expected);
  }
});

test('the command line talks to the certificate of its node only', async () => {
  await using node = await openServer({ tls: pair('first') });
  const url = new URL(chatPath, node.url);
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: chatBody };
  const response = await fetchPinned(url, await fingerprintOf('first'), init);
  assert.equal(response.status, 200);
  assert.equal(((await response.json()) as { choices: unknown[] }).choices.length, 1);
  await assert.rejects(fetchPinned(url, await fingerprintOf('second'), init), /another certificate/);
  await assert.rejects(
    fetchPinned(url, await fingerprintOf('first'), { ...init, signal: AbortSignal.abort() }),
  );
});

test('files that are missing, no PEM or no pair are named before anything is listened on', async () => {
  const fault = (cert: string, key: string) =>
    readCredentials({ cert, key }).then(
      () => assert.fail('they were taken'),
      (error: KithError) => `${error.code} ${error.param}`,
    );
  const { cert, key } = pair('first');
  assert.equal(await fault('/nowhere.pem', key), 'tls_invalid server.tlsCert');
  assert.equal(await fault(key, key), 'tls_invalid server.tlsCert');
  assert.equal(await fault(cert, cert), 'tls_invalid server.tlsKey');
  assert.equal(await fault(cert, pair('second').key), 'tls_invalid server.tlsKey');
  await assert.rejects(openServer({ tls: { cert, key: '/nowhere.pem' } }), /server\.tlsKey/);
});

test('a renewed certificate is shown to new connections, and a broken one is not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kith-tls-'));
  const at = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const put = async (name: string) => {
    await cp(pair(name).cert, at.cert);
    await cp(pair(name).key, at.key);
  };
  await put('first');
  // The certificates have begun by then.
  const clock = createManualClock(Date.now());
  const told: string[] = [];
  const warned: string[] = [];
  const log = { ...silentLogger, warn: (message: string) => void warned.push(message) };
  {
    await using node = await openServer({ tls: at, clock, log, onCertificate: (seen) => told.push(seen) });
    const shown = async () => {
      const socket = await handshake(node.port);
      const seen = socket.getPeerX509Certificate()!.fingerprint256;
      socket.destroy();
      return seen;
    };
    /** The watcher reads files, which takes real time, and then sleeps again. */
    const round = async (done: () => boolean) => {
      while (clock.sleeping === 0) await new Promise((resolve) => setImmediate(resolve));
      await clock.advance(tlsCheckMs);
      while (!done()) await new Promise((resolve) => setImmediate(resolve));
    };
    assert.equal(await shown(), await fingerprintOf('first'));
    while (clock.sleeping === 0) await new Promise((resolve) => setImmediate(resolve));
    await put('second');
    await round(() => told.length === 1);
    assert.equal(told[0], await fingerprintOf('second'));
    assert.equal(node.server.fingerprint, told[0]);
    assert.equal(await shown(), await fingerprintOf('second'));
    await writeFile(at.key, 'broken');
    await round(() => warned.length === 1);
    assert.match(warned[0]!, /the old one stays/);
    assert.equal(await shown(), await fingerprintOf('second'));
  }
  await rm(folder, { recursive: true });
});

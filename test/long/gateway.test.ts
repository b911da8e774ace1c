/**
 * A gigabyte of tokens through Kith in a process of its own, with the limits that it comes with: what it keeps in memory
 * is seen from outside. Figures are printed.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const kith = join(import.meta.dirname, '..', '..', 'bench', 'gateway', 'kith.ts');
let child: ChildProcess | null = null;
after(() => void child?.kill('SIGKILL'));

const token = `data: ${JSON.stringify({
  id: 'x',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, delta: { content: 'word ' }, finish_reason: null }],
})}\n\n`;
const block = token.repeat(400);

/** Peak of resident memory, MiB. */
async function peak(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s*(\d+) kB/.exec(status)![1]) / 1024;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('eight clients that are sent a gigabyte each are told of the limit, and the memory stays bounded', {
  skip: process.platform !== 'linux',
}, async () => {
  const written: number[] = [];
  await using upstream = createServer((_, response) => {
    const nth = written.push(0) - 1;
    response.on('error', () => {});
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const more = () => {
      while (written[nth]! < 2 ** 30 && !response.destroyed) {
        written[nth]! += block.length;
        if (!response.write(block)) return void response.once('drain', more);
      }
      response.end();
    };
    more();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => upstream.once('listening', resolve));
  const port = await freePort();
  const home = await mkdtemp(join(tmpdir(), 'kith-gateway-'));
  after(() => rm(home, { recursive: true, force: true }));
  const { port: behind } = upstream.address() as AddressInfo;
  child = spawn(process.execPath, [kith, String(port), String(behind), home], { stdio: 'ignore' });
  for (;;) {
    const up = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true));
      socket.on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (up) break;
    assert.equal(child.exitCode, null);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }

  async function endOf(stream: boolean): Promise<{ status: number; bytes: number; last: string }> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const options = { port, path: '/v1/chat/completions', method: 'POST', agent: false };
      const headers = { 'content-type': 'application/json' };
      const ask = request({ ...options, host: '127.0.0.1', headers }, resolve).on('error', reject);
      ask.end(JSON.stringify({ model: 'm', stream, messages: [{ role: 'user', content: 'Go on.' }] }));
    });
    let bytes = 0;
    let last = '';
    for await (const piece of response) {
      bytes += piece.length;
      last = `${last}${piece}`.slice(-1000);
    }
    return { status: response.statusCode!, bytes, last };
  }

  const before = await peak(child.pid!);
  const ends = await Promise.all(Array.from({ length: 8 }, (_, index) => endOf(index % 2 === 0)));
  const grown = (await peak(child.pid!)) - before;
  for (const { status, bytes, last } of ends) {
    const code = /"code":"(\w+)"/.exec(last)?.[1];
    console.log(`| ${status} ${code} | ${(bytes / 2 ** 20).toFixed(0)} MiB came |`);
    assert.match(code ?? last, /^(stream_cut|upstream_too_large|upstream_too_many_events|answer_too_long)$/);
    assert.ok(!last.includes('[DONE]'));
  }
  console.log(`| peak of resident memory | +${grown.toFixed(0)} MiB |`);
  assert.ok(grown < 512, `${grown} MiB`);
  assert.ok(
    written.every((bytes) => bytes < 2 ** 28),
    'the server was stopped long before the end',
  );
  assert.equal(child.exitCode, null);
});

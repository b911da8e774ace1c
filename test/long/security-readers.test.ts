/** Many clients that ask for much and read nothing: each is cut off, and memory stays bounded meanwhile. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { formatBytes } from '../../src/base/index.ts';
import { chatPath, openServer, start, text } from '../security/support.ts';

const clients = 150;
const rounds = 4;

test('readers that stop reading, of every kind of stream, cost bounded memory over and over', async () => {
  let peak = 0;
  await using node = await openServer({
    async *script() {
      yield start;
      for (;;) {
        peak = Math.max(peak, process.memoryUsage.rss());
        yield text('x'.repeat(16_384));
      }
    },
    limits: { slowReaderMs: 500 },
  });
  const messages = [{ role: 'user', content: 'Hi' }];
  const bodies = [
    [chatPath, { messages, stream: true }],
    ['/api/chat', { model: 'm', messages, stream: true }],
    ['/v1/messages', { model: 'm', messages, stream: true, max_tokens: 1000 }],
    ['/v1/responses', { model: 'm', input: 'Hi', stream: true }],
    ['/generate', { prompt: 'Hi', stream: true }],
  ] as const;
  const after: number[] = [];
  const before = process.memoryUsage.rss();
  for (let round = 1; round <= rounds; round++) {
    const sockets = Array.from({ length: clients }, (_, i) => {
      const [path, body] = bodies[i % bodies.length]!;
      const content = JSON.stringify(body);
      const socket = connect(node.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.pause();
      socket.write(
        `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${content.length}\r\n\r\n${content}`,
      );
      return socket;
    });
    while (node.server.total < round * clients) await new Promise((resolve) => setImmediate(resolve));
    while (node.server.active > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    for (const socket of sockets) socket.destroy();
    after.push(process.memoryUsage.rss());
  }
  console.log(
    `RSS ${formatBytes(before)} before, ${formatBytes(peak)} at most, after each round ${after.map(formatBytes).join(', ')}`,
  );
  assert.ok(peak - before < 600_000_000, `memory grew by ${formatBytes(peak - before)}`);
  assert.ok(after.at(-1)! - after[1]! < 100_000_000, 'memory grows from round to round');
});

/**
 * A server whose answers are streams, one write for each chunk. The name of the model says how: `burst-200` sends 200
 * chunks as fast as they go, `paced-200` one each 10 ms.
 *
 * @module bench/gateway/streaming
 */
import { createServer } from 'node:net';

const port = Number(process.argv[2]);
const pieceOf = (delta: object, reason: string | null) =>
  `data: ${JSON.stringify({
    id: 'chatcmpl-bench',
    object: 'chat.completion.chunk',
    created: 1_790_000_000,
    model: 'm',
    choices: [{ index: 0, delta, finish_reason: reason }],
  })}\n\n`;
const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const first = chunk(pieceOf({ role: 'assistant', content: '' }, null));
const word = chunk(pieceOf({ content: 'word ' }, null));
const last = `${chunk(pieceOf({}, 'stop'))}${chunk(
  `data: ${JSON.stringify({
    id: 'chatcmpl-bench',
    object: 'chat.completion.chunk',
    created: 1_790_000_000,
    model: 'm',
    choices: [],
    usage: { prompt_tokens: 10, completion_tokens: 200, total_tokens: 210 },
  })}\n\n`,
)}${chunk('data: [DONE]\n\n')}0\r\n\r\n`;
const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
const models = JSON.stringify({ object: 'list', data: [{ id: 'm', object: 'model' }] });

createServer({ noDelay: true }, (socket) => {
  let held = '';
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    held += bytes.toString('latin1');
    const end = held.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(held)?.[1] ?? 0);
    if (held.length < end + 4 + length) return;
    const body = held.slice(end + 4);
    held = '';
    const asked = /"(burst|paced)-(\d+)"/.exec(body);
    if (asked === null) {
      socket.write(
        `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${models.length}\r\n\r\n${models}`,
      );
      return;
    }
    let left = Number(asked[2]);
    socket.write(head);
    socket.write(first);
    if (asked[1] === 'paced') {
      const timer = setInterval(() => {
        if (socket.destroyed) clearInterval(timer);
        else if (left-- > 0) socket.write(word);
        else {
          clearInterval(timer);
          socket.write(last);
        }
      }, 10);
      return;
    }
    const more = () => {
      while (left > 0) {
        left--;
        if (!socket.write(word)) {
          socket.once('drain', more);
          return;
        }
      }
      if (left === 0) {
        left = -1;
        socket.write(last);
      }
    };
    more();
  });
}).listen({ port, host: '127.0.0.1', backlog: 4096 });

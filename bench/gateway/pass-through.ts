/** What any gateway on node:http and undici costs at least: every byte is passed on, nothing is looked at. @module bench/gateway/pass-through */
import { createServer } from 'node:http';
import { Pool } from 'undici';

const [portText, upstream] = process.argv.slice(2);
const pool = new Pool(`http://127.0.0.1:${upstream}`, {
  connections: 256,
  headersTimeout: 0,
  bodyTimeout: 0,
});

createServer({ noDelay: true }, (request, response) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', () => {
    const body = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
    const headers = { 'content-type': 'application/json' };
    pool.dispatch(
      {
        path: request.url!,
        method: request.method as 'POST',
        headers,
        body: body.length === 0 ? null : body,
      },
      {
        onRequestStart: (controller) => {
          response.on('close', () => {
            if (!response.writableFinished) controller.abort(new Error('gone'));
          });
        },
        onResponseStart: (_controller, status, answered) => {
          const { connection: _connection, 'transfer-encoding': _encoding, ...rest } = answered;
          response.writeHead(status, rest);
        },
        onResponseData: (_controller, piece) => {
          response.write(piece);
        },
        onResponseEnd: () => {
          response.end();
        },
        onResponseError: () => {
          response.destroy();
        },
      },
    );
  });
}).listen(Number(portText), '127.0.0.1');

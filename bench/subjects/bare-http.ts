/** The ceiling: node:http that answers every request with the same bytes. @module bench/subjects/bare-http */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serveSubject } from '../lib/subject.ts';

serveSubject({
  open: ({ body }: { body: string }) =>
    new Promise<number>((resolve) => {
      const bytes = Buffer.from(body);
      const server = createServer((_request, response) => {
        response.writeHead(200, {
          'content-type': 'application/json; charset=utf-8',
          'content-length': bytes.length,
        });
        response.end(bytes);
      });
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    }),
  pid: () => process.pid,
});

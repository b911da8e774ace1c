/**
 * A server that answers, counts, and can be killed and revived at the same address.
 *
 * @module test/gateway/answerer
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { questionIn, say } from './plays.ts';

interface Asked {
  readonly model: string;
  readonly question: string;
}

export interface Answerer extends AsyncDisposable {
  readonly name: string;
  readonly base: string;
  /** Chat requests so far. */
  readonly asked: number;
  /** Under way now, and the most there ever were at once. */
  readonly open: number;
  readonly most: number;
  /** Requests whose client left before the answer was whole. */
  readonly left: number;
  /** What it answers from now on; it may take its time. @default the question, word by word */
  answer: (asked: Asked) => readonly string[] | Promise<readonly string[]>;
  /** Closes the port and breaks every connection, also those that are answered. */
  kill(): Promise<void>;
  revive(): Promise<void>;
}

export async function createAnswerer(name: string): Promise<Answerer> {
  const sockets = new Set<Socket>();
  let port = 0;
  let server: Server | null = null;
  let asked = 0;
  let open = 0;
  let most = 0;
  let left = 0;

  const self: Answerer = {
    name,
    get base() {
      return `http://127.0.0.1:${port}/v1`;
    },
    get asked() {
      return asked;
    },
    get open() {
      return open;
    },
    get most() {
      return most;
    },
    get left() {
      return left;
    },
    answer: ({ question }) => question.split(/(?<= )/),
    async kill() {
      const dead = server;
      server = null;
      const closed = new Promise((resolve) => dead?.close(resolve));
      for (const socket of sockets) socket.resetAndDestroy();
      if (dead !== null) await closed;
    },
    async revive() {
      server = createServer(async (request, response) => {
        response.on('error', () => {});
        let text = '';
        for await (const piece of request) text += piece;
        if (!request.url!.endsWith('/chat/completions')) {
          response.setHeader('content-type', 'application/json');
          response.end(JSON.stringify({ object: 'list', data: [{ id: 'm' }] }));
          return;
        }
        asked++;
        most = Math.max(most, ++open);
        response.on('close', () => {
          open--;
          if (!response.writableFinished) left++;
        });
        const entry = { body: JSON.parse(text), tokens: 0 };
        const where = { response, entry } as unknown as Parameters<typeof say>[0];
        const words = await self.answer({ model: entry.body.model, question: questionIn(where) });
        if (!response.destroyed) say(where, words);
      });
      server.on('connection', (socket) => {
        sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => sockets.delete(socket));
      });
      await new Promise<void>((resolve) => server!.listen(port, '127.0.0.1', resolve));
      port = (server.address() as AddressInfo).port;
    },
    [Symbol.asyncDispose]: () => self.kill(),
  };
  await self.revive();
  return self;
}

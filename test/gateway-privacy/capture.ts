/**
 * Another server that keeps every byte that reaches it, and says again what it was told: OpenAI's and Anthropic's API,
 * whole answers and streams in the smallest pieces.
 *
 * What it says is the last text that it got; as the arguments of a call where it got tools, as a JSON value where a form
 * was asked for.
 *
 * @module test/gateway-privacy/capture
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

// biome-ignore lint/suspicious/noExplicitAny: bodies are read as they come
type Json = any;

export interface Capture extends AsyncDisposable {
  /** `http://127.0.0.1:port/v1`. */
  readonly base: string;
  readonly port: number;
  /** TCP connections that were opened. */
  readonly connections: number;
  /** Everything that came in, of all connections. */
  bytes(): Buffer;
  /** Bodies of requests, parsed, in order; those of lists of models are not among them. */
  readonly bodies: readonly Json[];
  forget(): void;
  /** Answers the next requests in another way; null: as it does by itself. */
  play(play: Play | null): void;
}

export type Play = (body: Json, response: ServerResponse) => void;

export async function openCapture(): Promise<Capture> {
  let chunks: Buffer[] = [];
  let connections = 0;
  let bodies: Json[] = [];
  let play: Play | null = null;
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy());
  });
  server.on('connection', (socket) => {
    connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => chunks.push(chunk));
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    request.setEncoding('utf8');
    for await (const chunk of request) text += chunk;
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ data: [{ id: 'upstream-m' }] }));
      return;
    }
    const body: Json = JSON.parse(text);
    bodies.push(body);
    if (play !== null) play(body, response);
    else if (request.url?.endsWith('/embeddings')) embed(body, response);
    else if (request.url?.endsWith('/count_tokens')) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ input_tokens: 7 }));
    } else if (request.url?.endsWith('/messages')) sayAnthropic(body, response);
    else sayOpenAi(body, response);
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    base: `http://127.0.0.1:${port}/v1`,
    port,
    get connections() {
      return connections;
    },
    bytes: () => Buffer.concat(chunks),
    get bodies() {
      return bodies;
    },
    forget() {
      chunks = [];
      bodies = [];
    },
    play(next) {
      play = next;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close').catch(() => {});
    },
  };
}

/** The last text of a request, in every place where APIs have one. */
export function lastText(body: Json): string {
  if (typeof body.prompt === 'string') return body.prompt;
  if (Array.isArray(body.prompt)) return body.prompt.at(-1);
  const content = body.messages.findLast(({ role }: Json) => role === 'user')?.content ?? '';
  return typeof content === 'string' ? content : content.map(({ text = '' }: Json) => text).join('');
}

/** Pieces of one to three characters, so that placeholders are cut everywhere. */
export function pieces(text: string): string[] {
  const all = [...text];
  const out: string[] = [];
  for (let at = 0; at < all.length; ) {
    const length = 1 + ((at * 7 + out.length) % 3);
    out.push(all.slice(at, at + length).join(''));
    at += length;
  }
  return out;
}

const usage = { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 };

/** Chunks of OpenAI's chat API; `text` in pieces, or as the arguments of a call. */
export function chatChunks(body: Json): Json[] {
  const text = lastText(body);
  const chunk = (delta: Json, finish_reason: string | null = null) => ({
    id: 'c1',
    object: 'chat.completion.chunk',
    created: 1,
    model: body.model,
    choices: [{ index: 0, delta, finish_reason }],
  });
  const head = chunk({ role: 'assistant', content: '' });
  const tail = {
    id: 'c1',
    object: 'chat.completion.chunk',
    created: 1,
    model: body.model,
    choices: [],
    usage,
  };
  if (body.tools?.length > 0) {
    const name = body.tools[0].function.name;
    const call = (more: Json, args: string) => ({
      tool_calls: [{ index: 0, ...more, function: { ...(more.id ? { name } : {}), arguments: args } }],
    });
    return [
      head,
      chunk(call({ id: 'call_1', type: 'function' }, '')),
      ...pieces(JSON.stringify({ said: text })).map((piece) => chunk(call({}, piece))),
      chunk({}, 'tool_calls'),
      tail,
    ];
  }
  const said = body.response_format === undefined ? text : JSON.stringify({ said: text });
  return [head, ...pieces(said).map((content) => chunk({ content })), chunk({}, 'stop'), tail];
}

function sayOpenAi(body: Json, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const chunks =
    body.messages === undefined
      ? [
          ...pieces(lastText(body)).map((text) => completion(body, text, null)),
          completion(body, '', 'stop'),
          { ...completion(body, '', null), choices: [], usage },
        ]
      : chatChunks(body);
  writeAll(response, [...chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`), 'data: [DONE]\n\n']);
}

const completion = (body: Json, text: string, finish_reason: string | null) => ({
  id: 'c1',
  object: 'text_completion',
  created: 1,
  model: body.model,
  choices: [{ index: 0, text, finish_reason, logprobs: null }],
});

/** Frames are cut as well: what is written together does not end where an event does. */
function writeAll(response: ServerResponse, frames: readonly string[]): void {
  const text = frames.join('');
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 613) response.write(bytes.subarray(at, at + 613));
  response.end();
}

function sayAnthropic(body: Json, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const frames: string[] = [];
  const event = (type: string, more: Json) =>
    frames.push(`event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`);
  event('message_start', {
    message: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: body.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 5, output_tokens: 0 },
    },
  });
  const text = lastText(body);
  if (body.tools?.length > 0) {
    const { name } = body.tools[0];
    event('content_block_start', {
      index: 0,
      content_block: { type: 'tool_use', id: 'toolu_1', name, input: {} },
    });
    for (const piece of pieces(JSON.stringify({ said: text })))
      event('content_block_delta', { index: 0, delta: { type: 'input_json_delta', partial_json: piece } });
  } else {
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
    for (const piece of pieces(text))
      event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: piece } });
  }
  event('content_block_stop', { index: 0 });
  event('message_delta', {
    delta: { stop_reason: body.tools?.length > 0 ? 'tool_use' : 'end_turn', stop_sequence: null },
    usage: { output_tokens: 3 },
  });
  event('message_stop', {});
  writeAll(response, frames);
}

function embed(body: Json, response: ServerResponse): void {
  const inputs: string[] = Array.isArray(body.input) ? body.input : [body.input];
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(
    JSON.stringify({
      object: 'list',
      model: body.model,
      data: inputs.map((_, index) => ({ object: 'embedding', index, embedding: [0.6, 0.8] })),
      usage: { prompt_tokens: 5, total_tokens: 5 },
    }),
  );
}

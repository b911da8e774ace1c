/**
 * The client room, `kith-node/client`: for programs that talk to Kith nodes, or to any server of OpenAI's API, over HTTP.
 *
 * Several nodes are one client: what fails before an answer has begun is tried again, elsewhere first. Answers are typed
 * events. It has no dependencies, imports no other room, and runs on Node 20 and later.
 *
 * @module client
 * @example
 * const client = createClient({ nodes: ['http://127.0.0.1:11435', 'http://192.168.1.20:11435'] });
 * const answer = client.chat({ messages: [{ role: 'user', content: 'Hello!' }] });
 * for await (const event of answer) if (event.type === 'text') process.stdout.write(event.text);
 */
export { createClient } from './client.ts';
export {
  AbortError,
  ApiError,
  ConnectionError,
  type FailedAttempt,
  KithClientError,
  NoNodeError,
  ResponseError,
  StreamError,
  TimeoutError,
  type TimeoutPhase,
} from './errors.ts';
export type * from './types.ts';

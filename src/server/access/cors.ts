/**
 * Cross-origin resource sharing (https://fetch.spec.whatwg.org/#http-cors-protocol), closed unless `server.corsOrigins`
 * names the page's origin. Browsers are never told to send stored credentials along: a page brings its own key.
 *
 * @module server/access/cors
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** What pages may send besides what browsers always allow. A list, since `*` does not cover `authorization`. */
const allowedHeaders =
  /^(authorization|content-type|accept|x-api-key|x-kith-[a-z0-9-]+|anthropic-[a-z0-9-]+|x-stainless-[a-z0-9-]+|openai-[a-z0-9-]+|idempotency-key|user-agent)$/;
const alwaysAllowed = ['authorization', 'content-type', 'x-api-key', 'x-kith-agent'];
const maxHeaders = 64;

/** What scripts may read of an answer. */
const exposed = [
  'x-request-id',
  'request-id',
  'retry-after',
  'retry-after-ms',
  'openai-processing-ms',
  ...['limit', 'remaining', 'reset'].flatMap((what) => [
    `x-ratelimit-${what}-requests`,
    `x-ratelimit-${what}-tokens`,
  ]),
  'x-kith-backend',
  'x-kith-model',
  'x-kith-queue-ms',
  'x-kith-prefill-ms',
  'x-kith-decode-ms',
  'x-kith-step',
  'x-kith-privacy',
  'x-kith-attempts',
  'x-kith-cache',
  'x-kith-cost',
].join(', ');

/** Lets the page's script read the answer when its origin is allowed. Caches are told either way. */
export function shareWith(
  origins: readonly string[],
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (origins.length === 0) return;
  response.appendHeader('vary', 'Origin');
  const { origin } = request.headers;
  if (origin === undefined || !origins.includes(origin)) return;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-expose-headers', exposed);
}

/** Answers the browser's question before a request, which carries no key; false when it is none or comes from elsewhere. */
export function answerPreflight(
  origins: readonly string[],
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const { origin, 'access-control-request-method': method } = request.headers;
  if (request.method !== 'OPTIONS' || method === undefined) return false;
  if (origin === undefined || !origins.includes(origin)) return false;
  const asked = (request.headers['access-control-request-headers'] ?? '')
    .toLowerCase()
    .split(',')
    .slice(0, maxHeaders)
    .map((name) => name.trim())
    .filter((name) => allowedHeaders.test(name));
  shareWith(origins, request, response);
  response.writeHead(204, {
    'access-control-allow-methods': 'GET, HEAD, POST, DELETE',
    'access-control-allow-headers': [...new Set([...alwaysAllowed, ...asked])].join(', '),
    'access-control-max-age': '600',
    // A page on the internet that asks a node on a private network (https://wicg.github.io/private-network-access/).
    ...(request.headers['access-control-request-private-network'] === 'true'
      ? { 'access-control-allow-private-network': 'true' }
      : {}),
    'content-length': '0',
  });
  response.end();
  return true;
}

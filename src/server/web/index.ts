/**
 * Serves the page: its document at every address that it routes itself, and its files. The page is this node's only
 * HTML, and everything it may load comes from this origin: the content security policy says so.
 *
 * @module server/web
 */
import type { ServerResponse } from 'node:http';
import { KithError } from '../../base/index.ts';
import type { Exchange, Route } from '../http/exchange.ts';
import type { ServerContext } from '../types.ts';
import { readBuild, type WebFile } from './files.ts';
import { pagePaths } from './pages.ts';

export { pagePaths } from './pages.ts';

export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data: blob:",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const safety: Readonly<Record<string, string>> = {
  'content-security-policy': contentSecurityPolicy,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

const notBuilt = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Kith</title>
<h1>The page is not built</h1>
<p>This node runs and its API answers, but the files of its page are missing. Build them, then start the node again:</p>
<pre>npm ci
npm run build:web</pre>
`;

/** @param folder of the build. @default web/dist of this package */
export function webRoutes(context: Pick<ServerContext, 'version'>, folder?: string): Route[] {
  const files = readBuild(folder);
  const document = files?.get('index.html');
  const page = async (exchange: Exchange): Promise<void> => {
    const { request, response } = exchange;
    response.setHeader('vary', 'accept, accept-encoding');
    // Programs that look whether someone is there (curl, `HEAD /`) get a line, browsers the page.
    if (!/text\/html|application\/xhtml/.test(request.headers.accept ?? '')) {
      const more = document ? '; the page opens in a browser' : '';
      const line = `Kith ${context.version} is running. The API is under /v1${more}.\n`;
      send(response, 'text/plain; charset=utf-8', Buffer.from(line), { 'cache-control': 'no-store' });
    } else if (document) await sendFile(exchange, document);
    else {
      exchange.failed('page_not_built');
      send(response, 'text/html; charset=utf-8', Buffer.from(notBuilt), { 'cache-control': 'no-store' }, 503);
    }
  };
  const file = async (exchange: Exchange, path: string): Promise<void> => {
    const found = files?.get(path);
    if (!found) {
      throw new KithError('route_not_found', `The page has no file '${path.slice(0, 200)}'.`, {
        status: 404,
      });
    }
    exchange.response.setHeader('vary', 'accept-encoding');
    await sendFile(exchange, found);
  };
  const atTop = [...(files?.keys() ?? [])].filter((path) => !path.includes('/') && path !== 'index.html');
  const get = (path: string, handler: Route['handler']): Route => ({
    method: 'GET',
    scope: 'read',
    counted: false,
    path,
    handler,
  });
  return [
    ...pagePaths.map((path) => get(path, page)),
    ...atTop.map((path) => get(`/${path}`, (exchange) => file(exchange, path))),
    get('/assets/*path', (exchange) => file(exchange, `assets/${exchange.params.path}`)),
  ];
}

async function sendFile({ request, response }: Exchange, found: WebFile): Promise<void> {
  const caching = {
    etag: found.etag,
    'cache-control': found.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
  };
  if (request.headers['if-none-match']?.split(/\s*,\s*/).includes(found.etag)) {
    response.writeHead(304, { ...safety, ...caching }).end();
    return;
  }
  const packed = takesGzip(request.headers['accept-encoding']) ? await found.gzipped() : null;
  const headers = packed ? { ...caching, 'content-encoding': 'gzip' } : caching;
  send(response, found.type, packed ?? found.bytes, headers);
}

/** RFC 9110 section 12.5.3, as far as one coding goes: named (or `*`) and not with a weight of zero. */
function takesGzip(accept: string | string[] | undefined): boolean {
  const codings = String(accept ?? '')
    .toLowerCase()
    .split(',')
    .map((part) => part.split(';').map((word) => word.trim()));
  const coding = codings.find(([name]) => name === 'gzip') ?? codings.find(([name]) => name === '*');
  return coding !== undefined && !coding.slice(1).some((weight) => /^q=0(\.0*)?$/.test(weight));
}

function send(
  response: ServerResponse,
  type: string,
  bytes: Buffer,
  headers: Readonly<Record<string, string>>,
  status = 200,
): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { ...safety, ...headers, 'content-type': type, 'content-length': bytes.length });
  response.end(response.req.method === 'HEAD' ? undefined : bytes);
}

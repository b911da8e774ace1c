/**
 * Requests to the own node over TLS. Its certificate may be self-signed, expired or made out to another name, so it is
 * not judged by authorities but compared with the one the node wrote into its run file.
 *
 * @module cli/pinned
 */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';

export interface PinnedRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

/** Like `fetch`. Nothing is sent before the certificate is known to be the right one. */
export async function fetchPinned(url: URL, fingerprint: string, init: PinnedRequest): Promise<Response> {
  const socket = await connectPinned(url, fingerprint, init.signal);
  const { method, headers, body, signal } = init;
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = httpRequest(
      url.href.replace(/^https:/, 'http:'),
      {
        method,
        headers: { ...headers, host: url.host, connection: 'close' },
        createConnection: () => socket,
        ...(signal ? { signal } : {}),
      },
      resolve,
    );
    request.on('error', reject);
    request.end(body);
  });
  const fields = Object.entries(answer.headersDistinct).flatMap(([name, values]) =>
    (values ?? []).map((value): [string, string] => [name, value]),
  );
  const status = answer.statusCode ?? 0;
  const empty = method === 'HEAD' || status === 204 || status === 304;
  if (empty) answer.resume();
  return new Response(empty ? null : (Readable.toWeb(answer) as ReadableStream<Uint8Array>), {
    status,
    headers: fields,
  });
}

function connectPinned(url: URL, fingerprint: string, signal: AbortSignal | undefined): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const socket = connect({ host, port: Number(url.port || 443), rejectUnauthorized: false }, () => {
      const seen = socket.getPeerX509Certificate()?.fingerprint256;
      if (seen === fingerprint) resolve(socket);
      else socket.destroy(new Error(`${url.host} shows another certificate than the node.`));
    });
    const stop = () => socket.destroy(new Error('Stopped.'));
    signal?.addEventListener('abort', stop, { once: true });
    socket.once('error', reject);
    socket.once('close', () => signal?.removeEventListener('abort', stop));
    if (signal?.aborted) stop();
  });
}

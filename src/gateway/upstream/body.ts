/**
 * Whole bodies: bounded bytes to text to JSON.
 *
 * @module gateway/upstream/body
 */
import { badResponse, type UpstreamError } from './errors.ts';
import type { Exchange } from './exchange.ts';
import type { Headers } from './wire/index.ts';

/** The first `maxBytes` of a body as text, odd bytes replaced; the rest is dropped. */
export async function readText(exchange: Exchange, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const chunk = await exchange.read();
    if (chunk === null) break;
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > maxBytes) {
      exchange.abort('the rest of an error is not read');
      break;
    }
  }
  return new TextDecoder().decode(Buffer.concat(chunks).subarray(0, maxBytes));
}

/** A body as JSON. Throws `UpstreamError`: another content type, empty, not UTF-8, not JSON, cut. */
export async function readJson(exchange: Exchange, headers: Headers, server: string): Promise<unknown> {
  const refuse = (error: UpstreamError): never => {
    exchange.refuse(error);
    throw error;
  };
  const given = headers['content-type'];
  const kind = (Array.isArray(given) ? given[0] : given)?.split(';')[0]?.trim().toLowerCase();
  if (kind !== undefined && kind !== 'application/json' && !kind.endsWith('+json')) {
    refuse(
      badResponse(
        'upstream_content_type',
        server,
        `answered with ${kind.slice(0, 100)} where application/json was asked for.`,
        undefined,
        'answered with another type where application/json was asked for.',
      ),
    );
  }
  const chunks: Uint8Array[] = [];
  for (;;) {
    const chunk = await exchange.read();
    if (chunk === null) break;
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  if (bytes.length === 0) throw badResponse('upstream_empty', server, 'answered with an empty body.');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw badResponse('upstream_invalid_utf8', server, 'sent bytes that are not UTF-8.', error);
  }
  return parseJson(text, server);
}

/** Throws `UpstreamError`. The error carries no part of the text. */
export function parseJson(text: string, server: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw badResponse('upstream_invalid_json', server, 'sent what is not JSON.');
  }
}

/**
 * Sends files of the node's machine to its owner: whole, or the part that was asked for. They are the bytes of strangers, so that no
 * browser is to make a page of them: only PDFs, which its own viewer shows, are not handed over as downloads.
 *
 * @module server/rag/originals
 */
import { once as happened } from 'node:events';
import { InputError, KithError } from '../../base/index.ts';
import type { Exchange } from '../http/exchange.ts';
import type { HeldFile, ReadingDesk } from './reading-types.ts';

/** @throws InputError `original_invalid` */
export function originalId(value: string): string {
  if (/^[0-9a-f]{64}$/.test(value)) return value;
  throw new InputError(
    'original_invalid',
    `'${value.slice(0, 80)}' names no file: it must be the SHA-256 of one, 64 hex digits.`,
    { param: 'original' },
  );
}

export async function originalRoute(desk: ReadingDesk, exchange: Exchange, kb: string): Promise<void> {
  const id = originalId(exchange.params.original ?? '');
  await using file = await desk.original(kb, id, exchange.signal);
  await sendHeld(exchange, file, `"${id}"`);
}

/** @param etag strong: a part that is asked for by another one is answered with the whole */
export async function sendHeld(
  { request, response, signal }: Exchange,
  file: HeldFile,
  etag: string,
): Promise<void> {
  if (response.headersSent || response.destroyed) return;
  const isPdf = file.type === 'pdf';
  const always = {
    'content-type': isPdf ? 'application/pdf' : 'application/octet-stream',
    'content-disposition': disposition(isPdf ? 'inline' : 'attachment', file.name),
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
    'cross-origin-resource-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'accept-ranges': 'bytes',
    'cache-control': 'no-store',
    etag,
  };
  const { range, 'if-range': on } = request.headers;
  const part = on === undefined || on === etag ? partOf(range, file.bytes) : null;
  if (part === 'outside') {
    response.setHeader('content-range', `bytes */${file.bytes}`);
    throw new KithError(
      'range_invalid',
      `The file has ${file.bytes} bytes, and none of them was asked for.`,
      {
        status: 416,
        param: 'range',
      },
    );
  }
  const { from, to } = part ?? { from: 0, to: file.bytes };
  response.writeHead(part === null ? 200 : 206, {
    ...always,
    'content-length': to - from,
    ...(part === null ? {} : { 'content-range': `bytes ${from}-${to - 1}/${file.bytes}` }),
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  try {
    for await (const piece of file.read(from, to)) {
      if (response.destroyed) return;
      if (!response.write(piece)) await happened(response, 'drain', { signal });
    }
    response.end();
  } catch {
    // Fewer bytes than were promised: the client must not take them for the whole.
    response.destroy();
  }
}

/**
 * The one part that is asked for (RFC 9110 section 14.1.2); null: all of it, also where several parts or other units are. `to`: behind
 * its last byte.
 */
export function partOf(
  header: string | undefined,
  bytes: number,
): { readonly from: number; readonly to: number } | 'outside' | null {
  const match = /^bytes=(?:(\d{1,15})-(\d{0,15})|-(\d{1,15}))$/.exec(header ?? '');
  if (match === null) return null;
  const [, first, last, end] = match;
  if (end !== undefined) {
    const from = Math.max(0, bytes - Number(end));
    return from < bytes ? { from, to: bytes } : 'outside';
  }
  const from = Number(first);
  const to = last === '' ? bytes : Math.min(bytes, Number(last) + 1);
  // Turned round it is no range, and to be passed over.
  if (last !== '' && Number(last) < from) return null;
  return from < bytes ? { from, to } : 'outside';
}

/** RFC 6266: the name in ASCII for the old, and as it is for all others. */
export function disposition(kind: 'inline' | 'attachment', name: string): string {
  const plain = name.replace(/[^ !#-[\]-~]/gu, '_');
  const whole = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${kind}; filename="${plain}"; filename*=UTF-8''${whole}`;
}

/**
 * Guards against web pages that reach for a node on the reader's own machine: DNS rebinding (a foreign name that
 * resolves to 127.0.0.1) and cross-site requests.
 *
 * @module server/http/host
 */
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { KithError } from '../../base/index.ts';

/** True for names and addresses that mean this machine only: localhost, *.localhost, 127.0.0.0/8, ::1. */
export function isLoopback(host: string): boolean {
  const name = host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  if (isIP(name) === 4) return name.startsWith('127.');
  return isIP(name) === 6 && (name === '::1' || /^::ffff:127\./.test(name));
}

/** Host name of a `host` header or authority, without port and brackets; null when it is malformed. */
export function hostName(authority: string): string | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(authority);
  return match ? (match[1] ?? match[2] ?? null) : null;
}

/** Throws 403 unless the request names this machine, and comes from a program or a page of this origin. */
export function checkHost(headers: IncomingHttpHeaders): void {
  const name = hostName(headers.host ?? '');
  if (name === null || !isLoopback(name)) {
    throw new KithError(
      'host_refused',
      `This node answers only to loopback names such as 127.0.0.1 and localhost, not to host '${(headers.host ?? '').slice(0, 100)}'.`,
      { status: 403 },
    );
  }
  const origin = headers.origin;
  if (origin !== undefined && origin !== `http://${headers.host}`) {
    throw new KithError(
      'origin_refused',
      `Requests from web pages of another origin ('${origin.slice(0, 100)}') are refused.`,
      {
        status: 403,
      },
    );
  }
  if (headers['sec-fetch-site'] === 'cross-site') {
    throw new KithError('origin_refused', 'Cross-site requests from web pages are refused.', { status: 403 });
  }
}

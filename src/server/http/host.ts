/**
 * Guards against web pages that reach for a node on the reader's own machine or network: DNS rebinding (a foreign name
 * that resolves to the node's address) and cross-site requests.
 *
 * @module server/http/host
 */
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { InputError, isLoopback, KithError, plainHost } from '../../base/index.ts';

/** Under which names a node answers, and which web pages may ask it. */
export interface HostRules {
  /** True when more than loopback is listened on: IP addresses are taken too, since rebinding needs a name. */
  readonly wide: boolean;
  /** True when the node itself speaks TLS. */
  readonly secure: boolean;
  /** Further names, without port. */
  readonly names: readonly string[];
  /** Origins of other web pages that may call the node. */
  readonly origins: readonly string[];
}

const thisMachineOnly: HostRules = { wide: false, secure: false, names: [], origins: [] };

/** Host name of a `host` header or authority, without port and brackets; null when it is malformed. */
export function hostName(authority: string): string | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(authority);
  return match ? (match[1] ?? match[2] ?? null) : null;
}

/** Throws 403 unless the request calls the node by one of its names, and comes from a program or a page that may. */
export function checkHost(
  headers: IncomingHttpHeaders,
  rules: HostRules = thisMachineOnly,
  method = 'GET',
): void {
  if (!isOwnHost(headers.host ?? '', rules)) {
    const taken = rules.wide
      ? 'IP addresses, loopback names'
      : 'loopback names such as 127.0.0.1 and localhost';
    throw new KithError(
      'host_refused',
      `This node answers only to ${taken} and the names in server.allowedHosts, not to host '${(headers.host ?? '').slice(0, 100)}'.`,
      { status: 403 },
    );
  }
  const { origin } = headers;
  if (origin !== undefined) {
    if (isOwnOrigin(origin, headers.host!, rules) || rules.origins.includes(origin)) return;
    throw new KithError(
      'origin_refused',
      `Requests from web pages of another origin ('${origin.slice(0, 100)}') are refused; server.corsOrigins lists those that are not.`,
      { status: 403 },
    );
  }
  if (headers['sec-fetch-site'] === 'cross-site' && !isNavigation(headers, method)) {
    throw new KithError('origin_refused', 'Cross-site requests from web pages are refused.', { status: 403 });
  }
}

/**
 * Throws 400 when a target in absolute form (`GET http://name/path`) names another authority than the Host header: a
 * server would have to follow the target, and a proxy before it may follow either (RFC 9112 section 3.2.2).
 */
export function checkTarget(target: string, host: string | undefined): void {
  const authority = /^https?:\/\/([^/?#]*)/i.exec(target)?.[1];
  if (authority === undefined || authority.toLowerCase() === host?.toLowerCase()) return;
  throw new InputError(
    'invalid_host',
    `The request target names '${authority.slice(0, 100)}' and the Host header '${(host ?? '').slice(0, 100)}'.`,
  );
}

/** The `host` that was found right last, and by which rules: nearly all requests name the same. */
let lastHost = '';
let lastRules: HostRules | null = null;

function isOwnHost(host: string, rules: HostRules): boolean {
  if (rules === lastRules && host === lastHost) return true;
  const name = hostName(host);
  if (name === null || !isOwnName(name, rules)) return false;
  lastHost = host;
  lastRules = rules;
  return true;
}

function isOwnName(host: string, { wide, names }: HostRules): boolean {
  if (isLoopback(host)) return true;
  const name = plainHost(host);
  return (wide && isIP(name) !== 0) || names.some((each) => plainHost(each) === name);
}

/**
 * A page of the node itself. Behind a proxy that ends TLS the page's origin is https although the node speaks http; the
 * other way round it is somebody on the network who poses as the node.
 */
function isOwnOrigin(origin: string, host: string, { secure }: HostRules): boolean {
  return origin === `https://${host}` || (!secure && origin === `http://${host}`);
}

/** A link on another site that the reader followed. The other site sees nothing of the answer, and GET changes nothing. */
function isNavigation(headers: IncomingHttpHeaders, method: string): boolean {
  return (
    method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
  );
}

/**
 * Where an engine is, read from the URL that its owner gives.
 *
 * - `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full`
 * - `https://:API-KEY@HOST:6333`
 *
 * To another machine TLS is spoken and its certificate checked, unless the URL says otherwise: `sslmode=disable` or `no-verify` of
 * PostgreSQL, and of Qdrant `http:` with `?tls=off`. Nothing falls back to plain text by itself.
 *
 * @module vault/adapters/address
 */
import { InputError, isLoopback } from '../../base/index.ts';
import type { EngineAddress, EngineKind } from './types.ts';

const MOST_URL = 2048;
const SCHEMES: Readonly<Record<string, { kind: EngineKind; port: number }>> = {
  'postgres:': { kind: 'postgres', port: 5432 },
  'postgresql:': { kind: 'postgres', port: 5432 },
  'http:': { kind: 'qdrant', port: 6333 },
  'https:': { kind: 'qdrant', port: 6333 },
};
const SSL_MODES: Readonly<Record<string, EngineAddress['tls']>> = {
  disable: 'off',
  require: 'verified',
  'verify-ca': 'verified',
  'verify-full': 'verified',
  'no-verify': 'unverified',
};

const invalid = (why: string): InputError =>
  new InputError(
    'engine_address',
    `${why}. An engine is named as postgres://USER:PASSWORD@HOST:5432/DATABASE or https://:API-KEY@HOST:6333.`,
    { param: 'url' },
  );

/**
 * @param secret password or API key that comes beside the URL; in its place
 * @throws InputError `engine_address`: never with the URL in it, which may hold a password
 */
export function engineAddress(text: string, secret: string | null = null): EngineAddress {
  const url = text.length <= MOST_URL ? URL.parse(text) : null;
  const scheme = url === null ? undefined : SCHEMES[url.protocol];
  if (url === null || scheme === undefined) throw invalid('That is no address of PostgreSQL or Qdrant');
  const { kind } = scheme;
  const host = url.hostname.replace(/^\[|\]$/gu, '');
  if (host === '') throw invalid('The address names no machine');
  const port = url.port === '' ? scheme.port : Number(url.port);
  if (port < 1) throw invalid('The port is 0');
  if (url.hash !== '') throw invalid('The address ends in a fragment (#)');
  const user = decoded(url.username);
  const given = url.password === '' ? null : decoded(url.password);
  const near = isLoopback(host);
  const tls = kind === 'postgres' ? tlsOfPostgres(url, near) : tlsOfQdrant(url, near);
  const database = kind === 'postgres' ? decoded(url.pathname.slice(1)) : '';
  if (kind === 'postgres' && (user === '' || database === '' || database.includes('/')))
    throw invalid('The address names no user, or no database');
  if (kind === 'qdrant' && (user !== '' || !/^\/?$/u.test(url.pathname)))
    throw invalid('Qdrant has no users, and its address no path');
  const chosen = secret ?? given;
  if (chosen !== null && !(kind === 'qdrant' ? KEY : PASSWORD).test(chosen))
    throw invalid('The password or key has characters that none has');
  const place = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return {
    ...{ kind, host, port, tls, user, database },
    secret: chosen,
    shown:
      kind === 'postgres'
        ? `postgres://${encodeURIComponent(user)}@${place}/${encodeURIComponent(database)}`
        : `${tls === 'off' ? 'http' : 'https'}://${place}`,
  };
}

/** What goes into a header. */
const KEY = /^[\x21-\x7e]{1,1024}$/u;
const PASSWORD = /^[^\p{Cc}\p{Cs}]{1,1024}$/u;

function decoded(part: string): string {
  try {
    const text = decodeURIComponent(part);
    if (/[\u0000-\u001f\u007f]/u.test(text)) throw invalid('The address has control characters');
    return text;
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw invalid('A part of the address is not percent-encoded as it should be');
  }
}

/** The only value of the only option; null where there is none. */
function optionOf(url: URL, name: string): string | null {
  const all = [...url.searchParams];
  const other = all.find(([key]) => key !== name);
  if (other !== undefined || all.length > 1)
    throw invalid(`The address takes '${name}' after the question mark, and nothing else`);
  return all[0]?.[1] ?? null;
}

function tlsOfPostgres(url: URL, near: boolean): EngineAddress['tls'] {
  const mode = optionOf(url, 'sslmode');
  if (mode === null) return near ? 'off' : 'verified';
  const tls = Object.hasOwn(SSL_MODES, mode) ? SSL_MODES[mode] : undefined;
  if (tls === undefined) throw invalid(`sslmode is one of ${Object.keys(SSL_MODES).join(', ')}`);
  return tls;
}

function tlsOfQdrant(url: URL, near: boolean): EngineAddress['tls'] {
  const tls = optionOf(url, 'tls');
  if (tls !== null && tls !== 'off') throw invalid("tls is 'off' or not there");
  if (url.protocol === 'https:') {
    if (tls !== null) throw invalid("With https: tls cannot be 'off'");
    return 'verified';
  }
  if (!near && tls === null)
    throw invalid(
      'Over http: a key and all vectors would go in plain text. Use https:, or add ?tls=off where the network itself is trusted',
    );
  return 'off';
}

/**
 * The credential that a request carries, wherever clients put it: `authorization: Bearer` (OpenAI's clients),
 * `x-api-key` (Anthropic's), `authorization: Basic` with the key as password (browsers).
 *
 * @module server/access/credential
 */
import type { IncomingHttpHeaders } from 'node:http';
import { keyPrefix } from './key-text.ts';

/** Longer values are not decoded; a key has 58 characters. */
const maxLength = 1024;

/** What the request is signed with; null when it carries nothing. Of two values the one that is a key of a node counts. */
export function credentialOf(headers: IncomingHttpHeaders): string | null {
  const named = headers['x-api-key'];
  const apiKey = typeof named === 'string' ? named.trim() : '';
  const authorization = fromAuthorization(headers.authorization ?? '');
  if (authorization.startsWith(keyPrefix) || apiKey === '') return authorization || null;
  return apiKey.startsWith(keyPrefix) ? apiKey : authorization || apiKey;
}

/** RFC 6750 and RFC 7617. A bare value without a scheme is taken too: some clients send their key so. */
function fromAuthorization(value: string): string {
  if (value.length > maxLength) return value.slice(0, maxLength);
  const [, scheme = '', rest = ''] = /^([A-Za-z]+) +(.*)$/.exec(value) ?? [];
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return rest.trim();
    case 'basic': {
      const text = Buffer.from(rest.trim(), 'base64').toString('utf8');
      const colon = text.indexOf(':');
      // `curl -u KEY:` puts the key where the name stands.
      return colon < 0 ? text : text.slice(colon + 1) || text.slice(0, colon);
    }
    default:
      return value.trim();
  }
}

/** How a request without a key learns to send one. Browsers ask the reader only for Basic. */
export function challengeFor(headers: IncomingHttpHeaders): string {
  return /\btext\/html\b/.test(headers.accept ?? '') ? 'Basic realm="Kith"' : 'Bearer realm="Kith"';
}

/**
 * Addresses of servers as they stand in configuration.
 *
 * @module gateway/upstream/address
 */
import { InputError } from '../../base/index.ts';

/** Throws `InputError`; the message repeats no credentials. */
export function parseBase(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const fits =
    url !== null &&
    (url.protocol === 'http:' || url.protocol === 'https:') &&
    url.username === '' &&
    url.password === '' &&
    url.search === '' &&
    url.hash === '';
  if (fits) return url;
  throw new InputError(
    'upstream_address_invalid',
    `'${text
      .replace(/\/\/[^/]*@/, '//')
      .replace(/[?#].*$/s, '')
      .slice(
        0,
        200,
      )}' is not the address of a server: write http://host:port/path or https://..., without user, query or fragment.`,
    { param: 'baseUrl' },
  );
}

/**
 * Fetching a status list from the URL that credentials name. The URL was written by a stranger, so it is held to https, to
 * addresses of the public Internet, to no redirect at all, to 10 seconds and to a size.
 *
 * @module identity/status/fetch
 */
import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import { InputError, isPublicAddress, messageOf } from '../../base/index.ts';
import { STATUS_CREDENTIAL_MAX_BYTES } from './list.ts';

export interface FetchStatusListOptions {
  readonly signal?: AbortSignal;
  /** Further certificate authority, PEM. */
  readonly ca?: string;
  /** Lets lists come from this machine and its network: for an organisation's own issuers. @default false */
  readonly allowPrivate?: boolean;
}

const TIMEOUT_MS = 10_000;

/**
 * Wire bytes of the list at `url`, not looked at. Throws InputError `status_list_unreachable` that says why not.
 */
export async function fetchStatusList(
  url: string,
  options: FetchStatusListOptions = {},
): Promise<Uint8Array> {
  const refuse = (why: string, cause?: unknown) =>
    new InputError('status_list_unreachable', `The status list ${url.slice(0, 200)} was not read: ${why}.`, {
      status: 502,
      ...(cause === undefined ? {} : { cause }),
    });
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || parsed.protocol !== 'https:' || parsed.username !== '' || parsed.password !== '')
    throw refuse('only https URLs without a user are asked');
  const allowed = (address: string) => options.allowPrivate === true || isPublicAddress(address);
  // A literal address is never looked up.
  const literal = parsed.hostname.replace(/^\[|\]$/g, '');
  if (isIP(literal) !== 0 && !allowed(literal)) throw refuse('its address is not on the public Internet');
  // Most nodes never fetch a list: the library comes with the first.
  const { Agent } = await import('undici');
  const agent = new Agent({
    connect: {
      timeout: TIMEOUT_MS,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
      // Looked at where the connection is made: a name can have another address a moment later.
      lookup(host, settings, done) {
        lookup(host, { ...settings, all: true }, (error, addresses) => {
          if (error !== null) return done(error, []);
          const fit = addresses.filter(({ address }) => allowed(address));
          if (fit.length === 0) return done(new Error('its address is not on the public Internet'), []);
          done(null, fit);
        });
      },
    },
  });
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  const signal = options.signal === undefined ? limit : AbortSignal.any([options.signal, limit]);
  try {
    const { statusCode, body } = await agent.request({
      origin: parsed.origin,
      path: `${parsed.pathname}${parsed.search}`,
      method: 'GET',
      headers: { accept: 'application/vc, application/json', 'accept-encoding': 'identity' },
      signal,
    });
    if (statusCode !== 200)
      throw refuse(
        `the server answered ${statusCode}${statusCode < 400 ? ', and redirects are not followed' : ''}`,
      );
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (bytes > STATUS_CREDENTIAL_MAX_BYTES)
        throw refuse(`it has more than ${STATUS_CREDENTIAL_MAX_BYTES} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw refuse(
      limit.aborted ? `there was no answer within ${TIMEOUT_MS / 1000} s` : messageOf(error),
      error,
    );
  } finally {
    await agent.destroy();
  }
}

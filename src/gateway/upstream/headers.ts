/**
 * Headers of one request over those of every request to its server.
 *
 * @module gateway/upstream/headers
 */
import { PRIVACY_LEVELS, strictest } from '../privacy/levels.ts';

type Headers = Readonly<Record<string, string>>;

const level = 'x-kith-privacy';

/** Those of the request go before others of the same name; of two levels of privacy the stricter one holds. */
export function withHeaders(fixed: Headers, own: Headers): Headers {
  const all: Record<string, string> = {};
  for (const [name, value] of Object.entries(fixed)) all[name.toLowerCase()] = value;
  const configured = PRIVACY_LEVELS.find((each) => each === all[level]?.trim().toLowerCase());
  const asked = PRIVACY_LEVELS.find((each) => each === own[level]);
  Object.assign(all, own);
  if (configured !== undefined && asked !== undefined) all[level] = strictest(configured, asked);
  return all;
}

/**
 * Forms that texts from outside may have: addresses, origins, names of models.
 *
 * @module base/settings/forms
 */

/** From the weakest to the strictest. */
export const PRIVACY_LEVELS = ['minimum', 'medium', 'maximum'] as const;

/** A server's name for a model. */
export const isModelName = (value: string): boolean =>
  value.length >= 1 && value.length <= 200 && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(value) && value.trim() === value;

/** An id of a model on this machine. */
export const isModelId = (value: string): boolean => /^[a-z0-9][a-z0-9._-]{0,95}$/.test(value);

/** `https://app.example.org`, and the origins of installed apps and extensions, such as `chrome-extension://abc`. */
export function isOrigin(value: string): boolean {
  if (isWebAddress(value)) return new URL(value).origin === value;
  return /^[a-z][a-z0-9+.-]{0,31}:\/\/[a-z0-9][a-z0-9._-]{0,252}$/.test(value);
}

export function isWebAddress(value: string): boolean {
  return URL.canParse(value) && ['http:', 'https:'].includes(new URL(value).protocol);
}

/** A web address that holds nothing but where the server is: what the gateway takes for a backend. */
export function isServerAddress(value: string): boolean {
  if (!isWebAddress(value)) return false;
  const { username, password, search, hash } = new URL(value);
  return username === '' && password === '' && search === '' && hash === '';
}

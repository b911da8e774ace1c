/** The store's errors, each with the command that helps. @module models/store/errors */

import { basename, resolve } from 'node:path';
import { InputError, KithError, nearest } from '../../base/index.ts';
import type { ModelManifest } from '../types.ts';

/** `model_not_found` (404) with up to three ids that may have been meant. */
export function notFound(id: string, ids: readonly string[]): InputError {
  const close = suggestions(id, ids);
  const hint =
    close.length > 0 ? `Did you mean ${close.join(' or ')}?` : `Known: ${ids.slice(0, 10).join(', ')}.`;
  return new InputError('model_not_found', `There is no model "${id.slice(0, 120)}". ${hint}`, {
    status: 404,
    param: 'model',
  });
}

/** A typing mistake away, or one name containing the other. */
function suggestions(id: string, ids: readonly string[]): string[] {
  const typo = nearest(id, ids);
  const wanted = id.toLowerCase();
  const parts = wanted.length < 3 ? [] : ids.filter((one) => one.includes(wanted) || wanted.includes(one));
  return [...new Set([...(typo === null ? [] : [typo]), ...parts])].slice(0, 3);
}

/** `model_not_installed` (409). */
export function notInstalled({ id, sources }: ModelManifest): KithError {
  return new KithError(
    'model_not_installed',
    sources.length === 0
      ? `The file of "${id}" is gone and nothing says where it came from. Add it again, or remove it with: kith models rm ${id}`
      : `"${id}" is not on this machine. Get it with: kith models pull ${id}`,
    { status: 409, param: 'model' },
  );
}

/** `model_corrupt`: the file is not what its manifest says. */
export function corrupt(manifest: ModelManifest, path: string, why: string): KithError {
  const { id } = manifest;
  const remedy = remedyOf(manifest);
  return new KithError('model_corrupt', `Model "${id}" is damaged: ${path}: ${why}. ${remedy}`, {
    details: { model: id, path, why, remedy },
  });
}

/** A file of this disk may be the very one that is damaged: the store may point at its bytes. */
function remedyOf({ id, sources }: ModelManifest): string {
  if (sources.length === 0) return `Remove it with: kith models rm ${id}, and add it again.`;
  const here = sources.every(({ parts }) => parts.every((uri) => uri.startsWith('file:')));
  if (!here) return `Get it again with: kith models pull ${id}`;
  return `Remove it with: kith models rm ${id}, and add a good copy of the file again.`;
}

/** An error about a file, with the path as the user gave it in place of its last name. */
export function about(given: string, error: unknown): unknown {
  if (!(error instanceof InputError) || error.message.includes(resolve(given))) return error;
  const { code, message, status, param, details, cause } = error;
  const name = basename(resolve(given));
  const rest =
    message.startsWith(`${name} `) || message.startsWith(`${name}:`)
      ? message.slice(name.length)
      : `: ${message}`;
  return new InputError(code, given + rest, {
    status,
    details,
    cause,
    ...(param === undefined ? {} : { param }),
  });
}

/** `model_exists` (409). */
export function exists(id: string): InputError {
  return new InputError(
    'model_exists',
    `There is a model "${id}" already. Choose another id (--id), or remove it with: kith models rm ${id}`,
    { status: 409, param: 'id' },
  );
}

/** `source_mismatch`: the caller asked for another sha256. */
export function mismatch(what: string, actual: string, expected: string): InputError {
  return new InputError('source_mismatch', `${what} has sha256 ${actual}, not ${expected} as asked for.`, {
    param: 'sha256',
  });
}

/** `source_uri_invalid`: a path or `owner/repo` where an id or URI is wanted. */
export function notReference(text: string): InputError {
  const shown = text.slice(0, 200);
  const hint = /^[\w.-]+\/[\w.-]+(\/|$)/.test(text)
    ? `For a hub repository write hf:${shown}; for a file of this machine: kith models add ${shown}`
    : `For a file of this machine: kith models add ${shown}`;
  return new InputError('source_uri_invalid', `"${shown}" is neither a model id nor a source. ${hint}`, {
    param: 'source',
  });
}

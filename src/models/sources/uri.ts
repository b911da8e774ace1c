/**
 * Source URIs: `scheme:rest`. Every scheme has one parser here, so that a manifest can be checked without touching
 * disk or network.
 *
 * @module models/sources/uri
 */

import { fileURLToPath } from 'node:url';
import { InputError } from '../../base/index.ts';

export const MAX_URI_LENGTH = 4096;

export interface NpmUri {
  readonly name: string;
  /** An exact version: ranges and tags could name other bytes tomorrow. */
  readonly version: string;
  /** Path inside the package, `/`-separated; ends in `/` for a folder; empty for the whole package. */
  readonly path: string;
}

export interface HubUri {
  readonly owner: string;
  readonly repo: string;
  /** Path of a file; empty for the whole repository. */
  readonly path: string;
  readonly revision: string;
}

export function uriInvalid(uri: string, why: string): InputError {
  return new InputError('source_uri_invalid', `Source "${shown(uri)}" is not valid: ${why}`, {
    param: 'source',
  });
}

function shown(uri: string): string {
  const clean = uri.replace(/[\u0000-\u001f\u007f]/g, '?');
  return clean.length > 200 ? `${clean.slice(0, 200)}...` : clean;
}

/** Splits off the scheme. Throws InputError `source_uri_invalid`. */
export function splitUri(uri: string): { scheme: string; rest: string } {
  if (uri.length > MAX_URI_LENGTH) throw uriInvalid(uri, `it is longer than ${MAX_URI_LENGTH} characters.`);
  if (/[\u0000-\u001f\u007f]/.test(uri)) throw uriInvalid(uri, 'it has control characters.');
  const match = /^([a-z][a-z0-9+.-]{1,31}):(.*)$/s.exec(uri);
  if (match === null) {
    throw uriInvalid(
      uri,
      'it has no scheme. Write for example hf:owner/repo/file.gguf or https://host/file.gguf.',
    );
  }
  return { scheme: match[1]!, rest: match[2]! };
}

/** Whether the text looks like `scheme:rest` at all (a model id never does). */
export function looksLikeUri(text: string): boolean {
  return /^[a-z][a-z0-9+.-]{1,31}:/.test(text);
}

const NPM = /^((?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*)@([^/@]+)(?:\/(.*))?$/s;
const EXACT_VERSION = /^\d{1,15}\.\d{1,15}\.\d{1,15}(?:-[0-9A-Za-z.-]{1,100})?(?:\+[0-9A-Za-z.-]{1,100})?$/;

/** `npm:name@1.2.3/path` or `npm:@scope/name@1.2.3/path`. */
export function parseNpmUri(uri: string): NpmUri {
  const { rest } = splitUri(uri);
  const match = NPM.exec(rest);
  if (match === null || match[1]!.length > 214) {
    throw uriInvalid(uri, 'write npm:package@1.2.3/path/in/package.');
  }
  const [, name, version, path = ''] = match;
  if (!EXACT_VERSION.test(version!)) {
    throw uriInvalid(
      uri,
      `"${version!.slice(0, 60)}" is no exact version; write for example npm:${name}@1.2.3/file.`,
    );
  }
  if (!isInnerPath(path, true)) throw uriInvalid(uri, 'its path leaves the package or has empty segments.');
  return { name: name!, version: version!, path };
}

/** `hf:owner/repo/path/of/file@revision`; the revision defaults to `main`. */
export function parseHubUri(uri: string): HubUri {
  const { rest } = splitUri(uri);
  const at = rest.lastIndexOf('@');
  const place = at < 0 ? rest : rest.slice(0, at);
  const revision = at < 0 ? 'main' : rest.slice(at + 1);
  const [owner = '', repo = '', ...tail] = place.split('/');
  const segment = /^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$/;
  if (!segment.test(owner) || !segment.test(repo) || repo.includes('..')) {
    throw uriInvalid(uri, 'write hf:owner/repo/file.gguf or hf:owner/repo/file.gguf@revision.');
  }
  if (!/^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$/.test(revision) || revision.includes('..')) {
    throw uriInvalid(uri, 'what follows "@" is no branch, tag or commit.');
  }
  const path = tail.join('/');
  if (!isInnerPath(path, false))
    throw uriInvalid(uri, 'its path leaves the repository or has empty segments.');
  return { owner, repo, path, revision };
}

/** `https://host/path` and `http://host/path`, without user names or passwords. */
export function parseWebUri(uri: string): URL {
  splitUri(uri);
  let url: URL;
  try {
    url = new URL(uri);
  } catch (cause) {
    throw uriInvalid(uri, (cause as Error).message);
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw uriInvalid(uri, 'the scheme must be https or http.');
  if (url.username !== '' || url.password !== '') {
    throw uriInvalid(url.host, 'a URL with a user name or password would end up in manifests and logs.');
  }
  url.hash = '';
  return url;
}

/** `file:/absolute/path` (taken literally) or `file:///absolute/path` (percent-decoded). */
export function parseFileUri(uri: string): string {
  const { rest } = splitUri(uri);
  let path = rest;
  if (rest.startsWith('//')) {
    try {
      path = fileURLToPath(new URL(uri));
    } catch (cause) {
      throw uriInvalid(uri, (cause as Error).message);
    }
  }
  const absolute = path.startsWith('/') || /^[A-Za-z]:[\\/]/.test(path);
  if (!absolute || path.includes('\0')) throw uriInvalid(uri, 'write file:/absolute/path.');
  return path;
}

/** Last segment of a source's path, fit to be a file name. */
export function baseName(uri: string): string {
  const { scheme, rest } = splitUri(uri);
  let path = rest;
  if (scheme === 'https' || scheme === 'http') path = decoded(parseWebUri(uri).pathname);
  else if (scheme === 'hf') path = parseHubUri(uri).path;
  else if (scheme === 'npm') path = parseNpmUri(uri).path;
  else if (scheme === 'file') path = parseFileUri(uri);
  const last = path.split(/[\\/]/).filter((part) => part !== '' && part !== '.' && part !== '..');
  const name = (last.at(-1) ?? 'file').replace(/[^A-Za-z0-9._ -]/g, '_').slice(-128);
  return name === '.' || name === '..' || name === '' ? 'file' : name;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A relative path without `.`/`..`/empty segments or backslashes. A folder's trailing slash where allowed. */
export function isInnerPath(path: string, folder: boolean): boolean {
  if (path === '') return true;
  const body = folder && path.endsWith('/') ? path.slice(0, -1) : path;
  if (body.includes('\\') || body.includes('\0')) return false;
  return body.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

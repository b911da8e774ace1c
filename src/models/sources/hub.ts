/**
 * `hf:owner/repo/file@revision`: files of a model hub. The hub redirects to its storage and says on the way which
 * commit the revision is and, for large files, their size and sha256.
 *
 * @module models/sources/hub
 */

import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { KithError } from '../../base/index.ts';
import type { HttpClient } from './http.ts';
import type { ListedFile, Source } from './source.ts';
import { type HubUri, isInnerPath, parseHubUri, uriInvalid } from './uri.ts';
import { WebRanges } from './web-ranges.ts';
import { probe, readText, readWeb } from './web-stream.ts';

const MAX_LISTING = 16 * 1024 * 1024;
const COMMIT = /^([0-9a-f]{40})$/;

const listing = z.array(
  z.object({ type: z.string(), path: z.string().max(1024), size: z.number().int().min(0).optional() }),
);

export interface HubOptions {
  readonly client: HttpClient;
  /** Origin of the hub, for example `https://huggingface.co`. */
  readonly hubUrl: string;
  /** Sent to the hub's own origin only. */
  readonly token?: string | undefined;
}

export function createHubSource({ client, hubUrl, token }: HubOptions): Source {
  const base = new URL(hubUrl.endsWith('/') ? hubUrl : `${hubUrl}/`);
  const authorization =
    token === undefined || token === '' ? undefined : { origin: base.origin, value: `Bearer ${token}` };

  const address = ({ owner, repo, path }: HubUri, revision: string): URL => {
    const file = path.split('/').map(encodeURIComponent).join('/');
    return new URL(`${owner}/${repo}/resolve/${encodeURIComponent(revision)}/${file}`, base);
  };

  return {
    schemes: ['hf'],
    capabilities: { local: false, resumable: true, list: true },
    check: (uri) => void parseHubUri(uri),
    isLocal: async () => false,

    async resolve(uri, options) {
      const parsed = parseHubUri(uri);
      if (parsed.path === '') throw uriInvalid(uri, 'it names a repository; add the path of a file.');
      const found = await probe(client, address(parsed, parsed.revision), {
        authorization,
        signal: options?.signal,
      });
      const commit = match(found.headers, 'x-repo-commit', COMMIT);
      const sha256 = match(found.headers, 'x-linked-etag', /^(?:W\/)?"?([0-9a-f]{64})"?$/);
      const linked = match(found.headers, 'x-linked-size', /^(\d{1,15})$/);
      const file = {
        ...found,
        url: commit === null ? found.url : address(parsed, commit),
        size: found.size ?? (linked === null ? null : Number(linked)),
      };
      const { owner, repo, path } = parsed;
      return {
        uri: commit === null ? uri : `hf:${owner}/${repo}/${path}@${commit}`,
        size: file.size,
        validator: sha256 === null ? file.validator : `sha256:${sha256}`,
        sha256,
        path: null,
        open: (from, { signal, hashKnown } = {}) =>
          readWeb(client, file, from, {
            authorization,
            signal,
            pinned: hashKnown === true || sha256 !== null,
          }),
      };
    },

    async ranges(uri, options) {
      const parsed = parseHubUri(uri);
      if (parsed.path === '') throw uriInvalid(uri, 'it names a repository; add the path of a file.');
      const url = address(parsed, parsed.revision);
      return new WebRanges({
        ...options,
        client,
        authorization,
        url,
        onHeaders(headers) {
          const commit = match(headers, 'x-repo-commit', COMMIT);
          return commit === null ? url : address(parsed, commit);
        },
      });
    },

    async list(uri, options): Promise<readonly ListedFile[]> {
      const { owner, repo, path, revision } = parseHubUri(uri);
      const folder = path === '' ? '' : `/${path.split('/').map(encodeURIComponent).join('/')}`;
      const url = new URL(
        `api/models/${owner}/${repo}/tree/${encodeURIComponent(revision)}${folder}?recursive=true`,
        base,
      );
      const text = await readText(client, url, { authorization, signal: options?.signal }, MAX_LISTING);
      let rows: z.infer<typeof listing>;
      try {
        rows = listing.parse(JSON.parse(text));
      } catch (cause) {
        throw new KithError('source_answer', `The hub's list of ${owner}/${repo} is not understood.`, {
          status: 502,
          cause,
        });
      }
      return rows
        .filter((row) => row.type === 'file' && isInnerPath(row.path, false))
        .map((row) => ({
          uri: `hf:${owner}/${repo}/${row.path}@${revision}`,
          path: row.path,
          size: row.size ?? null,
        }));
    },
  };
}

/** First group of `pattern` in the first of the answers that has the header. */
function match(answers: readonly IncomingHttpHeaders[], name: string, pattern: RegExp): string | null {
  for (const headers of answers) {
    const value = headers[name];
    const found = typeof value === 'string' ? pattern.exec(value) : null;
    if (found !== null) return found[1]!;
  }
  return null;
}

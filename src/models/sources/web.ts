/** `https:` and `http:` sources. @module models/sources/web */

import type { HttpClient } from './http.ts';
import type { Source } from './source.ts';
import { parseWebUri } from './uri.ts';
import { WebRanges } from './web-ranges.ts';
import { probe, readWeb } from './web-stream.ts';

export function createWebSource(client: HttpClient): Source {
  return {
    schemes: ['https', 'http'],
    capabilities: { local: false, resumable: true, list: false },
    check: (uri) => void parseWebUri(uri),
    isLocal: async () => false,
    ranges: async (uri, options) => new WebRanges({ ...options, client, url: parseWebUri(uri) }),
    async resolve(uri, options) {
      const file = await probe(client, parseWebUri(uri), { signal: options?.signal });
      return {
        uri,
        size: file.size,
        validator: file.validator,
        sha256: null,
        path: null,
        open: (from, { signal, hashKnown } = {}) =>
          readWeb(client, file, from, { signal, pinned: hashKnown === true }),
      };
    },
  };
}

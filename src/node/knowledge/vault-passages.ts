/**
 * A passage as it lies beside its vector: what a search shows of it.
 *
 * Deflated CBOR map `path`, `title`, `place`, `text`.
 *
 * @module node/knowledge/vault-passages
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { type CborMap, decodeCbor, encodeCbor, Fields, KithError } from '../../base/index.ts';
import type { StoredChunk } from '../../knowledge/index.ts';

export interface PlacedPassage {
  readonly path: string;
  /** Title and headings, joined by ` › `. */
  readonly title: string;
  readonly place: StoredChunk['place'];
  readonly text: string;
}

/** Characters of a text and of a path or title that are kept; a chunk has fewer but in odd cases. */
const MOST = { text: 65_536, name: 4096, count: Number.MAX_SAFE_INTEGER } as const;
const CBOR = { maxBytes: 1 << 19, maxItems: 32, maxDepth: 3 };

export function packPassage({ path, title, place, text }: PlacedPassage): Uint8Array {
  const { page, line, sheet, part } = place;
  return deflateRawSync(
    encodeCbor(
      {
        ...{ path: cut(path, MOST.name), title: cut(title, MOST.name), text: cut(text, MOST.text) },
        place: {
          ...{ page: page ?? null, line: line ?? null },
          sheet: sheet === undefined ? null : cut(sheet, MOST.name),
          part: part === undefined ? null : cut(part, MOST.name),
        },
      },
      CBOR,
    ),
  );
}

/** @throws KithError `vault_damaged` */
export function unpackPassage(bytes: Uint8Array): PlacedPassage {
  const damaged = (what: string, cause?: unknown) =>
    new KithError('vault_damaged', `A passage is not what was placed: ${what}.`, {
      status: 502,
      ...(cause === undefined ? {} : { cause }),
    });
  try {
    const plain = inflateRawSync(bytes, { maxOutputLength: CBOR.maxBytes });
    const fields = new Fields(decodeCbor(plain, CBOR) as CborMap, 'a passage', damaged);
    const place = new Fields(fields.any('place'), 'a place', damaged);
    const [page, line] = [place.countOrNull('page', MOST.count), place.countOrNull('line', MOST.count)];
    const [sheet, part] = [place.textOrNull('sheet', MOST.name), place.textOrNull('part', MOST.name)];
    return {
      ...{ path: fields.text('path', MOST.name), title: fields.text('title', MOST.name) },
      text: fields.text('text', MOST.text),
      place: {
        ...(page === null ? {} : { page }),
        ...(line === null ? {} : { line }),
        ...(sheet === null ? {} : { sheet }),
        ...(part === null ? {} : { part }),
      },
    };
  } catch (error) {
    throw damaged('it cannot be read', error);
  }
}

/** At most so many characters, halves of one replaced. */
const cut = (text: string, most: number): string => text.slice(0, most).toWellFormed();

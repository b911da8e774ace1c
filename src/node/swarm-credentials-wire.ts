/**
 * What peers tell each other of themselves, so that each can make up its mind about the other. Three calls; payloads are
 * deterministic CBOR (`base/cbor.ts`), and a field that is not in these tables is refused.
 *
 * | method                 | said                    | answered                                             |
 * | ---------------------- | ----------------------- | ---------------------------------------------------- |
 * | `kith/credentials/1`   | nothing                 | payload: what the answering node shows of itself     |
 * | `kith/status-list/1`   | metadata `i`, `n`       | payload: the signed list; empty when it is not known |
 * | `kith/status-news/1`   | payload: `c`, `l`       | nothing                                              |
 *
 * | field | type                    | meaning                                                                    |
 * | ----- | ----------------------- | -------------------------------------------------------------------------- |
 * | `c`   | list of bytes, 16       | credentials about the answering node that its owner shows to peers         |
 * | `e`   | list of bytes, 32       | endorsements of others that the answering node signed                      |
 * | `h`   | list of bytes, 16       | hand-overs of its keys, oldest first, the last to the key of this connection |
 * | `l`   | list of `[i, n, f]`, 64 | status lists that it knows: issuer, name, begin in ms since 1970           |
 * | `i`   | text, 128               | DID of a list's issuer                                                     |
 * | `n`   | text, 544               | name of a list                                                             |
 * | `c`   | boolean, of news        | what the teller shows of itself has changed                                |
 *
 * No presentation is needed: the connection proves the key. What is in here proves itself by its signature.
 *
 * @module node/swarm-credentials-wire
 */
import { type CborMap, type CborValue, decodeCbor, encodeCbor, InputError } from '../base/index.ts';
import {
  CREDENTIAL_MAX_BYTES,
  HAND_OVER_MAX_BYTES,
  MAX_SHOWN,
  STATUS_CREDENTIAL_MAX_BYTES,
} from '../identity/index.ts';

export const CREDENTIAL_METHODS = {
  credentials: 'kith/credentials/1',
  list: 'kith/status-list/1',
  news: 'kith/status-news/1',
} as const;

/** The same on both sides. */
export const CREDENTIAL_BOUNDS = {
  credentials: MAX_SHOWN,
  endorsements: 32,
  handOvers: 16,
  lists: 64,
  issuerChars: 128,
  nameChars: 544,
  /** Bytes of one node's whole answer. */
  shownBytes: 262_144,
  newsBytes: 65_536,
  listBytes: STATUS_CREDENTIAL_MAX_BYTES,
} as const;

/** Where a status list stands. */
export interface ListNews {
  readonly issuer: string;
  readonly id: string;
  /** Its `validFrom`, ms since 1970. */
  readonly from: number;
}

/** What a node shows of itself. Wire bytes of what was signed. */
export interface Shown {
  readonly credentials: readonly Uint8Array[];
  readonly endorsements: readonly Uint8Array[];
  readonly handOvers: readonly Uint8Array[];
  readonly lists: readonly ListNews[];
}

export interface News {
  readonly lists: readonly ListNews[];
  /** What the teller shows of itself has changed. */
  readonly shown: boolean;
}

export function encodeShown({ credentials, endorsements, handOvers, lists }: Shown): Uint8Array {
  const { credentials: c, endorsements: e, handOvers: h } = CREDENTIAL_BOUNDS;
  let left: number = CREDENTIAL_BOUNDS.shownBytes - 4096;
  /** As many as there is room for. */
  const fitting = (all: readonly Uint8Array[], most: number): Uint8Array[] =>
    all.slice(0, most).filter((bytes) => {
      if (bytes.length + 8 > left) return false;
      left -= bytes.length + 8;
      return true;
    });
  const map = {
    h: fitting(handOvers.slice(-h), h),
    c: fitting(credentials, c),
    l: listsOut(lists).filter((row) => {
      const size = row[0].length + row[1].length + 32;
      left -= size;
      return left > 0;
    }),
    e: fitting(endorsements, e),
  };
  return encodeCbor(map, { maxBytes: CREDENTIAL_BOUNDS.shownBytes });
}

/** Throws InputError `peer_malformed`. */
export function decodeShown(payload: Uint8Array): Shown {
  const map = mapOf(payload, CREDENTIAL_BOUNDS.shownBytes, ['c', 'e', 'h', 'l']);
  return {
    credentials: pieces(map.c, CREDENTIAL_BOUNDS.credentials, CREDENTIAL_MAX_BYTES),
    endorsements: pieces(map.e, CREDENTIAL_BOUNDS.endorsements, CREDENTIAL_MAX_BYTES),
    handOvers: pieces(map.h, CREDENTIAL_BOUNDS.handOvers, HAND_OVER_MAX_BYTES),
    lists: listsIn(map.l),
  };
}

export function encodeNews({ lists, shown }: News): Uint8Array {
  return encodeCbor({ c: shown, l: listsOut(lists) }, { maxBytes: CREDENTIAL_BOUNDS.newsBytes });
}

/** Throws InputError `peer_malformed`. */
export function decodeNews(payload: Uint8Array): News {
  const { c, l } = mapOf(payload, CREDENTIAL_BOUNDS.newsBytes, ['c', 'l']);
  if (typeof c !== 'boolean') throw malformed('news do not say whether something changed');
  return { shown: c, lists: listsIn(l) };
}

export const encodeListAsk = ({ issuer, id }: Omit<ListNews, 'from'>): CborMap => ({ i: issuer, n: id });

/** Throws InputError `peer_malformed`. */
export function decodeListAsk(metadata: CborMap): Omit<ListNews, 'from'> {
  if (Object.keys(metadata).some((key) => key !== 'i' && key !== 'n'))
    throw malformed('the ask for a status list has fields that nobody knows');
  return {
    issuer: text(metadata.i, CREDENTIAL_BOUNDS.issuerChars),
    id: text(metadata.n, CREDENTIAL_BOUNDS.nameChars),
  };
}

const listsOut = (lists: readonly ListNews[]): [string, string, number][] =>
  lists.slice(0, CREDENTIAL_BOUNDS.lists).map(({ issuer, id, from }) => [issuer, id, from]);

function listsIn(value: CborValue | undefined): ListNews[] {
  if (!Array.isArray(value) || value.length > CREDENTIAL_BOUNDS.lists)
    throw malformed(`it names no status lists, or more than ${CREDENTIAL_BOUNDS.lists}`);
  return (value as readonly CborValue[]).map((row) => {
    if (!Array.isArray(row) || row.length !== 3) throw malformed('a status list is not told by three fields');
    const [issuer, id, from] = row as readonly CborValue[];
    if (typeof from !== 'number' || !Number.isSafeInteger(from) || from < 0)
      throw malformed('a status list begins at no time');
    return {
      issuer: text(issuer, CREDENTIAL_BOUNDS.issuerChars),
      id: text(id, CREDENTIAL_BOUNDS.nameChars),
      from,
    };
  });
}

function pieces(value: CborValue | undefined, most: number, maxBytes: number): Uint8Array[] {
  if (!Array.isArray(value) || value.length > most) throw malformed(`it has more than ${most} of a kind`);
  return (value as readonly CborValue[]).map((piece) => {
    if (!(piece instanceof Uint8Array) || piece.length > maxBytes)
      throw malformed(`a piece has more than ${maxBytes} bytes`);
    return piece;
  });
}

function mapOf(payload: Uint8Array, maxBytes: number, keys: readonly string[]): Record<string, CborValue> {
  const value = decodeCbor(payload, { maxBytes, maxDepth: 4, maxItems: 1024 });
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array)
    throw malformed('it is no map');
  const map = value as Record<string, CborValue>;
  if (Object.keys(map).length !== keys.length || keys.some((key) => !Object.hasOwn(map, key)))
    throw malformed(`it has not the fields ${keys.join(', ')}`);
  return map;
}

function text(value: CborValue | undefined, most: number): string {
  if (typeof value !== 'string' || value.length === 0 || value.length > most)
    throw malformed(`a name is no text of 1 to ${most} characters`);
  return value;
}

function malformed(what: string): InputError {
  return new InputError('peer_malformed', `The peer's message does not follow the protocol: ${what}.`);
}

/**
 * The call `/kith/rag/1`: a peer searches a knowledge base that was shared with it, or asks what was. Payloads are
 * deterministic CBOR (`base/cbor.ts`); a field that is not in these tables is refused. Metadata is empty.
 *
 * | request | field | type | meaning |
 * |---|---|---|---|
 * | list | `op` | `list` | which grants hold for the caller |
 * | search | `op` | `search` | |
 * | | `grant` | bytes, 8192 | a grant to the caller by the node that is asked |
 * | | `question` | text, 4000 | |
 * | | `k` | 1 to 50 | hits wanted |
 * | | `mode` | text | `auto`, `both`, `words`, `vectors`, `graph` |
 * | | `filter` | map or null | `paths` and `tags`, each a list of 0 to 32 texts of 512; within what the grant allows |
 * | answer | `op` | `answer` | the fields of `search` but `k`: sentences of the documents that answer, with their sources |
 *
 * | answer | field | type | meaning |
 * |---|---|---|---|
 * | to list | `grants` | list of bytes, 32 of 8192 | |
 * | to search | `hits` | list of maps, 50 | best first: `id` (32 hex digits), `path`, `title`, `text`, `position`, `place`, `score`, `words` and `vector` (`[score, rank or null]` or null) |
 * | | `by` | list of texts | ways that were gone: `words`, `vectors`, `graph` |
 * | | `degraded` | text or null | code of why meaning did not count |
 * | | `embedder` | text or null | id of the model that made the vectors |
 * | | `cut` | boolean | hits or texts were left out, since an answer has 256 KiB at most |
 * | to answer | `text` | text, 65536 | with `[1]` where a source is cited; empty: the documents do not say |
 * | | `hits` | as above | the sources, in the order of their numbers |
 *
 * Whatever does not hold of a grant is answered with one error, `rag_refused`: who is refused learns nothing of what there is.
 *
 * @module knowledge/share/wire
 */
import {
  type CborMap,
  type CborValue,
  decodeCbor,
  encodeCbor,
  Fields,
  InputError,
  isMap,
} from '../../base/index.ts';
import type { Place } from '../types.ts';
import { GRANT_BOUNDS } from './grant.ts';
import {
  RAG_BOUNDS,
  RAG_MODES,
  RAG_WAYS,
  type RagAnswer,
  type RagEvidence,
  type RagFilter,
  type RagHit,
  type RagQuestion,
  type RagReply,
  type RagRequest,
} from './wire-types.ts';

export * from './wire-types.ts';

const LIMITS = { maxDepth: 6, maxItems: 4096 };

export function encodeRequest(request: RagRequest): Uint8Array {
  const map: CborMap =
    request.op === 'list'
      ? { op: 'list' }
      : { ...request, filter: request.filter === null ? null : { ...request.filter } };
  return encodeCbor(map, { ...LIMITS, maxBytes: RAG_BOUNDS.requestBytes });
}

/** @throws InputError `peer_malformed` */
export function decodeRequest(payload: Uint8Array): RagRequest {
  const fields = new Fields(mapOf(payload, RAG_BOUNDS.requestBytes), 'the request', malformed);
  const op = fields.oneOf('op', ['list', 'search', 'answer']);
  if (op === 'list') {
    fields.end();
    return { op };
  }
  const request: RagQuestion = {
    op,
    grant: fields.bytesUpTo('grant', GRANT_BOUNDS.bytes),
    question: fields.text('question', RAG_BOUNDS.questionChars, 1),
    k: fields.count('k', RAG_BOUNDS.hits),
    mode: fields.oneOf('mode', RAG_MODES),
    filter: filterIn(fields),
  };
  fields.end();
  if (request.k === 0) throw malformed('no hits are asked for');
  return request;
}

function filterIn(fields: Fields): RagFilter | null {
  const value = fields.any('filter');
  if (value === null) return null;
  const inner = new Fields(value, 'the filter', malformed);
  const list = (key: 'paths' | 'tags') =>
    inner.has(key)
      ? { [key]: inner.list(key, GRANT_BOUNDS.filters).map((each) => textOf(each, GRANT_BOUNDS.filterChars)) }
      : {};
  const filter: RagFilter = { ...list('paths'), ...list('tags') };
  inner.end();
  return filter;
}

export function encodeGrants(grants: readonly Uint8Array[]): Uint8Array {
  return encodeCbor(
    { grants: grants.slice(0, RAG_BOUNDS.grants) },
    { ...LIMITS, maxBytes: RAG_BOUNDS.replyBytes * 2 },
  );
}

/** @throws InputError `peer_malformed` */
export function decodeGrants(payload: Uint8Array): readonly Uint8Array[] {
  const fields = new Fields(mapOf(payload, RAG_BOUNDS.replyBytes * 2), 'the answer', malformed);
  const grants = fields.list('grants', RAG_BOUNDS.grants).map((each) => {
    if (each instanceof Uint8Array && each.length <= GRANT_BOUNDS.bytes) return each;
    throw malformed('a grant is no bytes, or too many');
  });
  fields.end();
  return grants;
}

/** As many hits as there is room for, their texts cut where they are long. */
export function encodeReply(reply: RagReply): Uint8Array {
  const { hits, cut } = fitting(reply.hits);
  return encodeCbor(
    { ...reply, by: [...reply.by], hits: hits.map(hitOut), cut: reply.cut || cut },
    { ...LIMITS, maxBytes: RAG_BOUNDS.replyBytes },
  );
}

/** @throws InputError `peer_malformed` */
export function decodeReply(payload: Uint8Array): RagReply {
  const fields = new Fields(mapOf(payload, RAG_BOUNDS.replyBytes), 'the answer', malformed);
  const by = fields.list('by', RAG_WAYS.length).map((each) => {
    const way = RAG_WAYS.find((one) => one === each);
    if (way === undefined) throw malformed('it names no way of looking');
    return way;
  });
  const reply: RagReply = {
    by,
    hits: fields.list('hits', RAG_BOUNDS.hits).map(hitIn),
    degraded: fields.textOrNull('degraded', 64),
    embedder: fields.textOrNull('embedder', 256),
    cut: fields.flag('cut'),
  };
  fields.end();
  return reply;
}

export function encodeAnswer({ text, hits: all }: RagAnswer): Uint8Array {
  const { hits } = fitting(all, Buffer.byteLength(text.slice(0, RAG_BOUNDS.answerChars)));
  return encodeCbor(
    { text: text.slice(0, RAG_BOUNDS.answerChars).toWellFormed(), hits: hits.map(hitOut) },
    { ...LIMITS, maxBytes: RAG_BOUNDS.replyBytes },
  );
}

/** @throws InputError `peer_malformed` */
export function decodeAnswer(payload: Uint8Array): RagAnswer {
  const fields = new Fields(mapOf(payload, RAG_BOUNDS.replyBytes), 'the answer', malformed);
  const answer = {
    text: fields.text('text', RAG_BOUNDS.answerChars),
    hits: fields.list('hits', RAG_BOUNDS.hits).map(hitIn),
  };
  fields.end();
  return answer;
}

/** Room for the fields around hits, and around one. */
const AROUND = 2048;
const AROUND_HIT = 512;

function fitting(all: readonly RagHit[], taken = 0): { hits: RagHit[]; cut: boolean } {
  let left = RAG_BOUNDS.replyBytes - AROUND - taken;
  let cut = all.length > RAG_BOUNDS.hits;
  const hits: RagHit[] = [];
  for (const hit of all.slice(0, RAG_BOUNDS.hits)) {
    const text = hit.text.slice(0, RAG_BOUNDS.textChars).toWellFormed();
    const title = hit.title.slice(0, RAG_BOUNDS.titleChars).toWellFormed();
    const part = hit.place.part === undefined ? 0 : Buffer.byteLength(hit.place.part);
    const sheet = hit.place.sheet === undefined ? 0 : Buffer.byteLength(hit.place.sheet);
    const bytes =
      AROUND_HIT +
      Buffer.byteLength(text) +
      Buffer.byteLength(title) +
      Buffer.byteLength(hit.path) +
      part +
      sheet;
    if (bytes > left) return { hits, cut: true };
    left -= bytes;
    cut ||= text.length < hit.text.length;
    hits.push({ ...hit, text, title });
  }
  return { hits, cut };
}

function hitOut(hit: RagHit): CborMap {
  const { id, path, title, text, position, place, score, words, vector } = hit;
  return { id, path, title, text, position, place: placeOut(place), score, words, vector };
}

/** Names within files may be of any length. */
function placeOut({ sheet, part, ...place }: Place): CborMap {
  const short = (text: string) => text.slice(0, RAG_BOUNDS.pathChars).toWellFormed();
  return {
    ...place,
    ...(sheet === undefined ? {} : { sheet: short(sheet) }),
    ...(part === undefined ? {} : { part: short(part) }),
  };
}

function hitIn(value: CborValue): RagHit {
  const fields = new Fields(value, 'a hit', malformed);
  const hit: RagHit = {
    id: fields.text('id', 32, 32),
    path: fields.text('path', RAG_BOUNDS.pathChars, 1),
    title: fields.text('title', RAG_BOUNDS.titleChars),
    text: fields.text('text', RAG_BOUNDS.textChars),
    position: fields.count('position', 2 ** 32),
    place: placeIn(fields.any('place')),
    score: numberOf(fields.any('score')),
    words: evidenceIn(fields.any('words')),
    vector: evidenceIn(fields.any('vector')),
  };
  fields.end();
  if (!/^[0-9a-f]{32}$/.test(hit.id)) throw malformed('a hit has no id');
  return hit;
}

function placeIn(value: CborValue | undefined): Place {
  const fields = new Fields(value, 'a place', malformed);
  const place: Place = {
    ...(fields.has('page') ? { page: fields.count('page', 2 ** 32) } : {}),
    ...(fields.has('line') ? { line: fields.count('line', 2 ** 32) } : {}),
    ...(fields.has('sheet') ? { sheet: fields.text('sheet', RAG_BOUNDS.pathChars) } : {}),
    ...(fields.has('part') ? { part: fields.text('part', RAG_BOUNDS.pathChars) } : {}),
  };
  fields.end();
  return place;
}

function evidenceIn(value: CborValue | undefined): RagEvidence | null {
  if (value === null) return null;
  if (!Array.isArray(value) || value.length !== 2) throw malformed('what speaks for a hit is no pair');
  const [score, rank] = value as readonly CborValue[];
  if (rank !== null && (typeof rank !== 'number' || !Number.isSafeInteger(rank) || rank < 1))
    throw malformed('a rank is no number from 1');
  return [numberOf(score), rank];
}

function numberOf(value: CborValue | undefined): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw malformed('a score is no number');
}

function textOf(value: CborValue, most: number): string {
  if (typeof value === 'string' && value.length > 0 && value.length <= most && !value.includes('\0'))
    return value;
  throw malformed(`a value of the filter is no text of 1 to ${most} characters`);
}

function mapOf(payload: Uint8Array, maxBytes: number): CborMap {
  if (payload.length > maxBytes) throw malformed(`it has more than ${maxBytes} bytes`);
  const value = decodeCbor(payload, { ...LIMITS, maxBytes });
  if (!isMap(value)) throw malformed('it is no map');
  return value;
}

function malformed(what: string): InputError {
  return new InputError('peer_malformed', `The peer's message does not follow the protocol: ${what}.`);
}

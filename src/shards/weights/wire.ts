/**
 * Messages of a session about the bytes of a model (method `/kith/tensors/1`). Metadata is a CBOR map; `k` says which message
 * it is. A section is the header (0) or a tensor (from 1), as the model's tensor list counts them.
 *
 * | k         | from  | further fields                              | payload |
 * |-----------|-------|---------------------------------------------|---------|
 * | (opening) | asker | `model`: sha256 of the GGUF, 64 hex digits  | |
 * | `have`    | peer  | `root` (32 B) of its list, `sections`: how many it names | one bit for each section, lowest first: whether it is there |
 * | `list`    | asker | | |
 * | `list`    | peer  | | the tensor list as JSON |
 * | `get`     | asker | `n` (rises by one from 1), `s`: section, `at`, `length` in it | |
 * | `data`    | peer  | `n`                                         | those bytes |
 *
 * Answers come in the order of the questions. Some questions may be under way; who does not read the answers gets no more.
 *
 * @module shards/weights/wire
 */
import { type CborMap, Fields, fromHex, InputError, toHex } from '../../base/index.ts';
import { GGUF_LIMITS } from '../../models/index.ts';

export const TENSORS_METHOD = '/kith/tensors/1';

export const WEIGHT_BOUNDS = {
  /** Bytes of one `get`. */
  chunkBytes: 256 << 10,
  /** Questions under way. */
  underWay: 8,
  /** Of a list, as JSON. */
  listBytes: 8 << 20,
  sections: GGUF_LIMITS.tensors + 1,
  metadataBytes: 1 << 10,
} as const;

const MAX_ASKED = 2 ** 48;

export function malformed(what: string): InputError {
  return new InputError(
    'weights_malformed',
    `A message about the bytes of a model does not follow the protocol: ${what}.`,
  );
}

export function decodeModel(metadata: CborMap): string {
  const fields = new Fields(metadata, 'the opening', malformed);
  const model = fields.text('model', 64, 64);
  fields.end();
  if (!/^[0-9a-f]{64}$/.test(model)) throw malformed("'model' is no sha256");
  return model;
}

export interface Have {
  /** Hex. */
  readonly root: string;
  readonly has: readonly boolean[];
}

export function encodeHave({ root, has }: Have): { metadata: CborMap; payload: Uint8Array } {
  const payload = new Uint8Array(Math.ceil(has.length / 8));
  for (const [i, there] of has.entries()) if (there) payload[i >> 3]! |= 1 << (i & 7);
  return { metadata: { k: 'have', root: fromHex(root), sections: has.length }, payload };
}

export function decodeHave(metadata: CborMap, payload: Uint8Array): Have {
  const fields = new Fields(metadata, "the message 'have'", malformed);
  fields.oneOf('k', ['have']);
  const root = toHex(fields.bytes('root', 32));
  const sections = fields.count('sections', WEIGHT_BOUNDS.sections);
  fields.end();
  if (payload.length !== Math.ceil(sections / 8))
    throw malformed(`${payload.length} bytes came for the bits of ${sections} sections`);
  return { root, has: Array.from({ length: sections }, (_, i) => (payload[i >> 3]! & (1 << (i & 7))) !== 0) };
}

export type Question =
  | { readonly k: 'list' }
  | {
      readonly k: 'get';
      readonly n: number;
      readonly section: number;
      readonly at: number;
      readonly length: number;
    };

export function encodeQuestion(question: Question): CborMap {
  if (question.k === 'list') return { k: 'list' };
  const { n, section, at, length } = question;
  return { k: 'get', n, s: section, at, length };
}

export function decodeQuestion(metadata: CborMap): Question {
  const fields = new Fields(metadata, 'a question', malformed);
  const k = fields.oneOf('k', ['list', 'get']);
  const question = ((): Question => {
    if (k === 'list') return { k };
    const n = fields.count('n', MAX_ASKED);
    const section = fields.count('s', WEIGHT_BOUNDS.sections - 1);
    const at = fields.count('at', Number.MAX_SAFE_INTEGER);
    return { k, n, section, at, length: fields.count('length', WEIGHT_BOUNDS.chunkBytes) };
  })();
  fields.end();
  if (question.k === 'get' && question.length === 0) throw malformed('nothing is asked for');
  return question;
}

/** @throws InputError unless the message is the answer to question `n` with `length` bytes */
export function checkData(metadata: CborMap, payload: Uint8Array, n: number, length: number): void {
  const fields = new Fields(metadata, "the message 'data'", malformed);
  fields.oneOf('k', ['data']);
  const answered = fields.count('n', MAX_ASKED);
  fields.end();
  if (answered !== n) throw malformed(`the answer to question ${answered} came in place of ${n}`);
  if (payload.length !== length) throw malformed(`${payload.length} bytes came in place of ${length}`);
}

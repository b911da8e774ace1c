/**
 * The announcement record, version 1: deterministic CBOR (base/cbor), a map of these fields and no others.
 *
 * | Field             | Type                        | Bounds                                                     |
 * | ----------------- | --------------------------- | ---------------------------------------------------------- |
 * | `v`               | integer                     | 1                                                          |
 * | `peer`            | bytes                       | 32: its Ed25519 public key, of which its PeerId is a name   |
 * | `seq`             | integer, ms since 1970      | grows with every record of the peer                        |
 * | `exp`             | integer, ms since 1970      | above `seq`, at most 600,000 above                         |
 * | `model`           | map {`hash`, `quant`}       | left out: the record is about the peer itself              |
 * | `model.hash`      | bytes                       | 32: SHA-256 of the GGUF                                    |
 * | `model.quant`     | text                        | 1 to 32 of `A-Z a-z 0-9 _ . -`                             |
 * | `blocks`          | list of [start, end)        | at most 16, ascending, apart; none without a model         |
 * | `tps`             | integer, tokens/1000 s      | optional; to 10^9                                          |
 * | `latencyMs`       | integer, ms                 | optional; to 600,000                                       |
 * | `freeCacheTokens` | integer                     | to 2^40                                                    |
 * | `maxBatch`        | integer                     | to 65,535                                                  |
 * | `protocols`       | list of text                | at most 16, `/kith/...`, in order, each once               |
 * | `relay`           | true                        | left out unless it is reached over a relay only            |
 * | `addrs`           | list of text                | optional, 1 to 8, each a multiaddr of at most 192          |
 * | `regions`         | list of text                | at most 8 tags, in order, each once                        |
 * | `serves`          | list of text                | at most 8 words, in order, each once                       |
 * | `trust`           | list of bytes               | at most 8 of 32: SHA-256 of credentials, in order          |
 * | `state`           | text                        | `joining`, `online`, `draining`, `offline`                 |
 *
 * The envelope is a map of `b` (bytes of the record) and `s` (64 bytes: Ed25519 over them for the purpose `announcement`,
 * by the key in `peer`), at most 2,048 bytes together. What was signed travels as it is; nothing is ever encoded again.
 *
 * The words of `serves` that say on which terms space is lent are those of `space.ts`: nodes that do not know them read past them.
 *
 * `exp` is bound to `seq` so that a receiver may forget a sequence number ten minutes after it: no older record can still
 * be valid then. A field more is a new version.
 *
 * @module swarm/records/announcement
 */
import { type CborMap, type CborValue, encodeCbor, toHex } from '../../base/index.ts';
import { encodeEnvelope } from './envelope.ts';
import { digestBytes, Fields, keyOfPeer, malformed } from './fields.ts';
import { type Announcement, type BlockRange, type ModelName, PEER_STATES, type Signer } from './types.ts';

export const ANNOUNCEMENT_VERSION = 1;
/** Of the whole envelope. */
export const ANNOUNCEMENT_MAX_BYTES = 2048;
/** From `seq` to `exp` at most, ms. */
export const ANNOUNCEMENT_MAX_LIFE_MS = 600_000;
/** No model has more. */
export const MAX_BLOCKS = 65_536;

/** Depth: envelope map; record map, model map or list of ranges, range. */
const LIMITS = { maxBytes: ANNOUNCEMENT_MAX_BYTES, maxDepth: 3, maxItems: 256 };
const MAX_MS = 2 ** 48;
const QUANT = /^[A-Za-z0-9_.-]{1,32}$/;
const PROTOCOL = /^\/kith\/[a-z0-9./-]{1,58}$/;
const ADDRESS = /^\/[\x21-\x7e]{1,191}$/;
const WORD = /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/;

/** Bytes of a record, to be signed. @throws {InputError} `record_malformed` when it breaks a bound of the table. */
export function encodeAnnouncement(one: Announcement): Uint8Array {
  const record: Record<string, CborValue> = {
    v: ANNOUNCEMENT_VERSION,
    peer: keyOfPeer(one.peer),
    seq: one.seq,
    exp: one.exp,
    blocks: one.blocks,
    freeCacheTokens: one.freeCacheTokens,
    maxBatch: one.maxBatch,
    protocols: sorted(one.protocols),
    regions: sorted(one.regions),
    serves: sorted(one.serves),
    trust: sorted(one.trust).map(digestBytes),
    state: one.state,
  };
  if (one.model !== null) record.model = { hash: digestBytes(one.model.hash), quant: one.model.quant };
  if (one.tokensPerSecond !== null) record.tps = Math.round(one.tokensPerSecond * 1000);
  if (one.latencyMs !== null) record.latencyMs = Math.round(one.latencyMs);
  if (one.relayed) record.relay = true;
  if (one.addrs.length > 0) record.addrs = one.addrs;
  const bytes = encodeCbor(record as CborMap, LIMITS);
  // One set of rules: what this node would refuse from others it does not send either.
  parseAnnouncement(bytes);
  return bytes;
}

/** Reads the bytes of a record. @throws {InputError} `record_malformed` */
export function parseAnnouncement(bytes: Uint8Array): Announcement {
  const fields = Fields.decode(bytes, LIMITS);
  fields.int('v', ANNOUNCEMENT_VERSION, ANNOUNCEMENT_VERSION);
  const seq = fields.int('seq', 1, MAX_MS);
  const exp = fields.int('exp', seq + 1, seq + ANNOUNCEMENT_MAX_LIFE_MS);
  const model = fields.optional('model', readModel);
  const one: Announcement = {
    peer: fields.peer('peer'),
    seq,
    exp,
    model,
    blocks: readBlocks(fields),
    tokensPerSecond: fields.optional('tps', (of) => of.int('tps', 0, 1e9) / 1000),
    latencyMs: fields.optional('latencyMs', (of) => of.int('latencyMs', 0, 600_000)),
    freeCacheTokens: fields.int('freeCacheTokens', 0, 2 ** 40),
    maxBatch: fields.int('maxBatch', 0, 65_535),
    protocols: fields.words('protocols', 16, PROTOCOL),
    relayed: fields.optional('relay', (of) => of.bool('relay') || malformed('relay is false')) ?? false,
    addrs: fields.optional('addrs', readAddresses) ?? [],
    regions: fields.words('regions', 8, WORD),
    serves: fields.words('serves', 8, WORD),
    trust: readTrust(fields),
    state: readState(fields),
  };
  fields.end();
  const needsModel =
    one.blocks.length > 0 || one.serves.some((word) => ['blocks', 'chat', 'embeddings'].includes(word));
  if (model === null && needsModel) malformed('it serves a model but names none');
  if (one.serves.includes('blocks') && one.blocks.length === 0) malformed('it serves blocks but names none');
  return one;
}

function readModel(fields: Fields): ModelName {
  const model = fields.fields('model');
  const name = { hash: toHex(model.bytes('hash', 32)), quant: model.text('quant', QUANT) };
  model.end();
  return name;
}

function readBlocks(fields: Fields): BlockRange[] {
  const ranges = fields.list('blocks', 16, (value): BlockRange => {
    if (!Array.isArray(value) || value.length !== 2) malformed('a range of blocks is not a pair');
    const [start, end] = value as [CborValue, CborValue];
    if (!isBlock(start) || !isBlock(end) || start >= end)
      malformed('a range of blocks is empty or out of bounds');
    return [start as number, end as number];
  });
  for (let index = 1; index < ranges.length; index++)
    if (ranges[index - 1]![1] >= ranges[index]![0]) malformed('ranges of blocks are not in order and apart');
  return ranges;
}

function isBlock(value: CborValue): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= MAX_BLOCKS;
}

function readAddresses(fields: Fields): string[] {
  const addresses = fields.list('addrs', 8, (value) => {
    if (typeof value !== 'string' || !ADDRESS.test(value)) malformed('an address is no multiaddr');
    return value as string;
  });
  if (addresses.length === 0) malformed('addrs is empty: it must be left out');
  return addresses;
}

function readTrust(fields: Fields): string[] {
  const digests = fields.list('trust', 8, (value) => {
    if (!(value instanceof Uint8Array) || value.length !== 32)
      malformed('a digest of a credential does not have 32 bytes');
    return toHex(value as Uint8Array);
  });
  for (let index = 1; index < digests.length; index++)
    if (digests[index - 1]! >= digests[index]!) malformed('trust is not in order, or has a digest twice');
  return digests;
}

function readState(fields: Fields): Announcement['state'] {
  const text = fields.text('state', /^[a-z]{1,16}$/);
  return PEER_STATES.find((state) => state === text) ?? malformed(`the state ${text} is unknown`);
}

/** Bounded and in order; bad entries are found when the record is read back. */
function sorted(words: readonly string[]): string[] {
  return [...new Set(words)].sort();
}

/** The signed envelope of a record, at most 2,048 bytes. @throws {InputError} `record_malformed` */
export function signAnnouncement(one: Announcement, signer: Signer): Uint8Array {
  if (one.peer !== signer.peerId) malformed('it names another peer than the one who signs');
  const body = encodeAnnouncement(one);
  return encodeEnvelope({ body, signature: signer.sign('announcement', body) }, ANNOUNCEMENT_MAX_BYTES);
}

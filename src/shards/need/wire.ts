/**
 * The call `/kith/shard-need/1`: a node whose path lost a shard asks a peer to serve blocks of a model. The peer answers when
 * they are loaded.
 *
 * | message | fields                                                                   |
 * |---------|--------------------------------------------------------------------------|
 * | request | `model` (64 hex digits), `from`, `to` (blocks), `cells` (KV cells of the session that follows) |
 * | answer  | `from`, `to`: blocks that the peer serves now; they hold those asked for |
 *
 * @module shards/need/wire
 */
import { type CborMap, Fields } from '../../base/index.ts';
import type { BlockSpan } from '../types.ts';
import { malformed, SHARD_BOUNDS } from '../wire/messages.ts';

export const NEED_METHOD = '/kith/shard-need/1';

/** Blocks of any model at most. */
const MAX_BLOCK = 4096;

/** Blocks [from, to) of a model that somebody is to serve. */
export interface Need extends BlockSpan {
  /** Content hash of the model, 64 hex digits. */
  readonly model: string;
  /** KV cells of the session that follows. */
  readonly cells: number;
}

export function encodeNeed({ model, from, to, cells }: Need): CborMap {
  return { model, from, to, cells };
}

/** @throws InputError `shard_malformed` */
export function decodeNeed(metadata: CborMap): Need {
  const fields = new Fields(metadata, 'a need', malformed);
  const need: Need = {
    model: fields.text('model', 64, 64),
    from: fields.count('from', MAX_BLOCK),
    to: fields.count('to', MAX_BLOCK),
    cells: fields.count('cells', SHARD_BOUNDS.cells),
  };
  fields.end();
  if (!/^[0-9a-f]+$/.test(need.model)) throw malformed('the model is not named by its hash');
  if (need.to <= need.from) throw malformed(`blocks [${need.from}, ${need.to}) are no range`);
  if (need.cells === 0) throw malformed('a session needs cells');
  return need;
}

/** @throws InputError `shard_malformed`, also when what is served does not hold what was asked for */
export function decodeServed(metadata: CborMap, { from, to }: BlockSpan): BlockSpan {
  const fields = new Fields(metadata, 'the answer to a need', malformed);
  const served = { from: fields.count('from', MAX_BLOCK), to: fields.count('to', MAX_BLOCK) };
  fields.end();
  if (served.from > from || served.to < to)
    throw malformed(`blocks [${served.from}, ${served.to}) do not hold [${from}, ${to})`);
  return served;
}

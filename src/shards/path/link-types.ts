/**
 * How hidden states travel over each link of a path, by what the link is like.
 *
 * Rounding turns near ties, so that only `f32` gives the tokens of the whole model. With `auto` the owner lets links round
 * where that saves time: a row of a prompt is one of many, and a link far away is mostly slow as well.
 *
 * @module shards/path/link-types
 */
import type { ActivationType } from '../types.ts';
import { EXACT, type LinkTypes } from '../wire/messages.ts';

/** What an owner allows: one type for all, or the choice by link. */
export type TypeWish = ActivationType | 'auto';

/** Round trip up to which a link is taken for one of the same place: what it sends is there at once. */
const NEAR_MS = 5;
/** Round trip from which bytes of single rows count, too. */
const FAR_MS = 30;

/** @param rttMs of the link; null when it is not known, which is taken for near */
export function typesFor(wish: TypeWish, rttMs: number | null): LinkTypes {
  if (wish !== 'auto') return { prefill: wish, decode: wish };
  if (rttMs === null || rttMs < NEAR_MS) return EXACT;
  return rttMs < FAR_MS ? { prefill: 'f16', decode: 'f32' } : { prefill: 'i8', decode: 'f16' };
}

export const sameTypes = (one: LinkTypes, other: LinkTypes): boolean =>
  one.prefill === other.prefill && one.decode === other.decode;

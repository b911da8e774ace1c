/**
 * What a thread that makes codes is asked and answers.
 *
 * @module vault/compact/coding
 */
import { type CodeFit, encodeVectors, fitCodes } from './codes.ts';

/** Vectors are row-major, each of `from` numbers. */
export type CodingOrder =
  | { readonly do: 'fit'; readonly vectors: Float32Array; readonly from: number; readonly all: number }
  | { readonly do: 'encode'; readonly vectors: Float32Array; readonly fit: CodeFit };

export type CodingReply =
  | { readonly type: 'fitted'; readonly fit: CodeFit }
  | { readonly type: 'encoded'; readonly codes: Uint8Array; readonly error: number }
  | { readonly type: 'failed'; readonly message: string };

/** Also without a thread, where there is little to do. */
export function coded(order: CodingOrder): CodingReply {
  if (order.do === 'fit') return { type: 'fitted', fit: fitCodes(order.vectors, order.from, order.all) };
  return { type: 'encoded', ...encodeVectors(order.fit, order.vectors) };
}

/**
 * Kept answers as bytes: a header of 32 characters (version, when stored, fresh until) and JSON in UTF-8. What is read
 * back is checked: another program may have written to the file or the server. Version 1, which wrote 0 for counts that
 * were unknown, is read too; nodes that know only that one take what this writes for no answer.
 *
 * @module gateway/cache/codec
 */
import { z } from 'zod';
import type { StoredAnswer } from './types.ts';

/** Bytes of the header: `K2 `, two times of 13 digits with a space between, `\n` and padding to the full length. */
export const HEADER_BYTES = 32;
const ONE = 0x31;
const HEADER = /^K([12]) (\d{13}) (\d{13}) \n$/;

const count = z.int().min(0);
/** Null: the backend did not say. */
const tokens = count.nullable();
const duration = z.number().min(0).nullable();
const answerSchema = z.object({
  backend: z.string(),
  model: z.string(),
  choices: z
    .array(
      z.object({
        parts: z.array(
          z.union([z.string(), z.object({ id: z.string(), name: z.string(), arguments: z.string() })]),
        ),
        reason: z.enum(['stop', 'length', 'tool_calls']),
        stop: z.string().nullable(),
        slidTokens: count,
      }),
    )
    .min(1)
    .max(1025),
  promptTokens: tokens,
  cachedTokens: tokens,
  completionTokens: tokens,
  // Loose: a receipt that says more keeps what it says.
  receipt: z.looseObject({
    backend: z.string(),
    model: z.string(),
    queueMs: duration,
    prefillMs: duration,
    decodeMs: duration,
    notes: z.array(z.string()),
  }),
});

export function encodeAnswer({ answer, storedAt, freshUntil }: StoredAnswer): Buffer {
  return Buffer.from(`K2 ${time(storedAt)} ${time(freshUntil)} \n${JSON.stringify(answer)}`);
}

/** Null for bytes that are not a kept answer of this version. */
export function decodeAnswer(bytes: Uint8Array): StoredAnswer | null {
  const times = decodeTimes(bytes);
  if (times === null) return null;
  try {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8', HEADER_BYTES);
    const answer = answerSchema.parse(JSON.parse(text));
    return { ...times, answer: bytes[1] === ONE ? fromFirst(answer) : answer };
  } catch {
    return null;
  }
}

/** An answer of version 1, whose receipt says where its counts are none. */
function fromFirst(answer: z.output<typeof answerSchema>): z.output<typeof answerSchema> {
  const { upstream } = answer.receipt;
  const uncounted = upstream !== null && typeof upstream === 'object' && 'usageReported' in upstream;
  if (!uncounted || upstream.usageReported !== false) return answer;
  return { ...answer, promptTokens: null, cachedTokens: null, completionTokens: null };
}

/** The header alone, from at least its bytes. */
export function decodeTimes(bytes: Uint8Array): { storedAt: number; freshUntil: number } | null {
  const match = HEADER.exec(Buffer.from(bytes.subarray(0, HEADER_BYTES)).toString('latin1'));
  return match === null ? null : { storedAt: Number(match[2]), freshUntil: Number(match[3]) };
}

function time(ms: number): string {
  return String(Math.min(Math.max(0, Math.trunc(ms)), 9_999_999_999_999)).padStart(13, '0');
}

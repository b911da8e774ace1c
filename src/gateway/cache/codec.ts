/**
 * Kept answers as bytes: a header of 32 characters (version, when stored, fresh until) and JSON in UTF-8. What is read
 * back is checked: another program may have written to the file or the server.
 *
 * @module gateway/cache/codec
 */
import { z } from 'zod';
import type { StoredAnswer } from './types.ts';

/** Bytes of the header: `K1 `, two times of 13 digits with a space between, `\n` and padding to the full length. */
export const HEADER_BYTES = 32;
const HEADER = /^K1 (\d{13}) (\d{13}) \n$/;

const count = z.int().min(0);
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
  promptTokens: count,
  cachedTokens: count,
  completionTokens: count,
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
  return Buffer.from(`K1 ${time(storedAt)} ${time(freshUntil)} \n${JSON.stringify(answer)}`);
}

/** Null for bytes that are not a kept answer of this version. */
export function decodeAnswer(bytes: Uint8Array): StoredAnswer | null {
  const times = decodeTimes(bytes);
  if (times === null) return null;
  try {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8', HEADER_BYTES);
    return { ...times, answer: answerSchema.parse(JSON.parse(text)) };
  } catch {
    return null;
  }
}

/** The header alone, from at least its bytes. */
export function decodeTimes(bytes: Uint8Array): { storedAt: number; freshUntil: number } | null {
  const match = HEADER.exec(Buffer.from(bytes.subarray(0, HEADER_BYTES)).toString('latin1'));
  return match === null ? null : { storedAt: Number(match[1]), freshUntil: Number(match[2]) };
}

function time(ms: number): string {
  return String(Math.min(Math.max(0, Math.trunc(ms)), 9_999_999_999_999)).padStart(13, '0');
}

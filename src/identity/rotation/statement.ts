/**
 * A hand-over: the owner of a key says that another key goes on in its place, and both keys sign.
 *
 * Version 1, as canonical JSON (RFC 8785), at most 1 KiB:
 *
 * | Field | Holds |
 * |---|---|
 * | `type` | `KithHandOver` |
 * | `v` | 1 |
 * | `from`, `to` | `did:key` of the old key and of the new one; they differ |
 * | `at` | when it was signed, ms since 1970 |
 * | `fromSignature`, `toSignature` | Ed25519 for the purpose `rotation` over the canonical bytes without these two; base64url |
 *
 * The old key alone could push its past onto a stranger, the new key alone could claim one: so both sign.
 *
 * @module identity/rotation/statement
 */
import { z } from 'zod';
import { canonicalBytes, InputError } from '../../base/index.ts';
import { fromBase64url, toBase64url } from '../key/base64url.ts';
import { verify } from '../key/sign.ts';
import { statementReader } from '../key/statement.ts';
import type { Identity } from '../types.ts';

export const HAND_OVER_MAX_BYTES = 1_024;
/** A clock may be this far ahead of the reader's. */
export const HAND_OVER_CLOCK_SKEW_MS = 300_000;

const schema = z.strictObject({
  type: z.literal('KithHandOver'),
  v: z.literal(1),
  from: z.string(),
  to: z.string(),
  // What dates can say (ECMA-262, time values).
  at: z.int().min(0).max(8.64e15),
  fromSignature: z.string(),
  toSignature: z.string(),
});

const reader = statementReader(invalid);

/** A hand-over whose signatures hold. */
export interface HandOver {
  /** `did:key` of the key that ends. */
  readonly from: string;
  /** `did:key` of its successor. */
  readonly to: string;
  /** ms since 1970, by the signer's clock. */
  readonly at: number;
  /** The signed statement: canonical JSON in UTF-8. */
  readonly bytes: Uint8Array;
}

/** The statement that `from` hands over to `to`. `at` in ms since 1970. Throws InputError `rotation_invalid`. */
export function signHandOver(from: Identity, to: Identity, at: number): HandOver {
  if (from.did === to.did) throw invalid('a key cannot follow itself');
  const said = { type: 'KithHandOver', v: 1, from: from.did, to: to.did, at };
  const bytes = canonicalBytes(said);
  const statement = {
    ...said,
    fromSignature: toBase64url(from.sign('rotation', bytes)),
    toSignature: toBase64url(to.sign('rotation', bytes)),
  };
  return { from: from.did, to: to.did, at, bytes: canonicalBytes(statement) };
}

/**
 * The hand-over in these bytes, if they are one to the last bit and both signatures hold.
 *
 * @param now ms since 1970; what is dated more than 5 minutes after it is refused
 * @throws InputError `rotation_invalid`
 */
export function readHandOver(bytes: Uint8Array, now: number): HandOver {
  if (bytes.length > HAND_OVER_MAX_BYTES) throw invalid(`it is larger than ${HAND_OVER_MAX_BYTES} bytes`);
  const parsed = schema.safeParse(reader.json(bytes));
  if (!parsed.success) throw invalid('its fields are not those of a hand-over');
  const { fromSignature, toSignature, ...said } = parsed.data;
  reader.requireCanonical(parsed.data, bytes);
  const keys = [reader.keyOf(said.from), reader.keyOf(said.to)] as const;
  if (said.from === said.to) throw invalid('a key cannot follow itself');
  if (said.at > now + HAND_OVER_CLOCK_SKEW_MS) {
    throw invalid(`it is dated ${new Date(said.at).toISOString()}, which is still to come; check the clock`);
  }
  const signed = canonicalBytes(said);
  for (const [i, text] of [fromSignature, toSignature].entries()) {
    const signature = fromBase64url(text, 64);
    if (signature === null || !verify(keys[i]!, 'rotation', signed, signature))
      throw invalid(`the signature of ${i === 0 ? said.from : said.to} does not hold`);
  }
  return { from: said.from, to: said.to, at: said.at, bytes: Uint8Array.from(bytes) };
}

export function invalid(why: string, cause?: unknown): InputError {
  return new InputError(
    'rotation_invalid',
    `This is no valid hand-over of a key: ${why}. Do not rely on it.`,
    {
      ...(cause === undefined ? {} : { cause }),
    },
  );
}

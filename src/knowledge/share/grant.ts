/**
 * A grant: the owner of a knowledge base says that one peer may search it. It travels as a line of text, by whatever way.
 *
 * Version 1, as canonical JSON (RFC 8785), at most 8 KiB; as text `kith-grant:` and the bytes in base64url:
 *
 * | Field | Holds |
 * |---|---|
 * | `type` | `KithGrant` |
 * | `v` | 1 |
 * | `id` | 32 hex digits, drawn at random; what is revoked |
 * | `issuer`, `holder` | `did:key` of who gives it and of the only one who may use it; they differ |
 * | `kb` | id of the knowledge base, as drawn when it was made: another one of the same name is another |
 * | `name` | what the issuer calls it |
 * | `rights` | `answer`, `search` or both, in this order |
 * | `filter` | absent: all of it; else `paths`, `tags` or both, each 1 to 32 in ascending order; documents have to fit both |
 * | `from`, `until` | when it holds, ms since 1970, at most 366 days |
 * | `signature` | Ed25519 of the issuer for the purpose `knowledge-grant` over the canonical bytes without this; base64url |
 *
 * That it is revoked only its issuer knows, who is asked each time.
 *
 * @module knowledge/share/grant
 */
import { z } from 'zod';
import { canonicalBytes, InputError, type Random, toHex } from '../../base/index.ts';
import { fromBase64url, type Identity, statementReader, toBase64url, verify } from '../../identity/index.ts';

/** In the order in which a grant names them. */
export const GRANT_RIGHTS = ['answer', 'search'] as const;
export type GrantRight = (typeof GRANT_RIGHTS)[number];

export const GRANT_BOUNDS = {
  bytes: 8192,
  /** Of paths, and of tags. */
  filters: 32,
  /** Characters of a path or tag. */
  filterChars: 512,
  /** A year, and the day that some have more. */
  lifeMs: 366 * 86_400_000,
} as const;

const SCHEME = 'kith-grant:';
const SIGNATURE_BYTES = 64;

const DID = z.string().min(1).max(128);
const each = z
  .string()
  .min(1)
  .max(GRANT_BOUNDS.filterChars)
  .refine((value) => !value.includes('\0') && value.isWellFormed() && !value.startsWith('/'));
const ascending = (values: readonly string[]): boolean =>
  values.every((value, i) => i === 0 || values[i - 1]! < value);
const several = z.array(each).min(1).max(GRANT_BOUNDS.filters).refine(ascending);
const moment = z.int().min(0).max(8.64e15);
const schema = z.strictObject({
  type: z.literal('KithGrant'),
  v: z.literal(1),
  id: z.string().regex(/^[0-9a-f]{32}$/),
  issuer: DID,
  holder: DID,
  kb: z.string().regex(/^[\x21-\x7e]{1,64}$/),
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/),
  rights: z.array(z.enum(GRANT_RIGHTS)).min(1).max(GRANT_RIGHTS.length).refine(ascending),
  filter: z
    .strictObject({ paths: several.exactOptional(), tags: several.exactOptional() })
    .refine(({ paths, tags }) => paths !== undefined || tags !== undefined)
    .exactOptional(),
  from: moment,
  until: moment,
  signature: z.string().max(100),
});

/** What of a knowledge base may be seen. Documents have to fit both. */
export interface GrantFilter {
  /** One of these: path as in the KB, or the folder it begins with (ending in `/`). */
  readonly paths?: readonly string[];
  /** All of these. */
  readonly tags?: readonly string[];
}

/** What a grant says. */
export interface GrantTerms {
  /** `did:key` of the only one who may use it. */
  readonly holder: string;
  /** Id of the knowledge base. */
  readonly kb: string;
  /** As the issuer calls it. */
  readonly name: string;
  readonly rights: readonly GrantRight[];
  /** Absent: all of it. */
  readonly filter?: GrantFilter;
  /** ms since 1970. */
  readonly from: number;
  readonly until: number;
}

/** A grant whose signature holds. */
export interface Grant extends GrantTerms {
  /** 32 hex digits. */
  readonly id: string;
  /** `did:key`. */
  readonly issuer: string;
  /** The signed statement: canonical JSON in UTF-8. */
  readonly bytes: Uint8Array;
}

const reader = statementReader(invalid);

const sorted = <T extends string>(values: readonly T[]): T[] => [...new Set(values)].sort();

/** @throws InputError `grant_invalid`: what it is to say is no grant */
export function signGrant(issuer: Identity, terms: GrantTerms, random: Pick<Random, 'bytes'>): Grant {
  const { holder, kb, name, rights, filter, from, until } = terms;
  const narrowed = {
    ...(filter?.paths === undefined ? {} : { paths: sorted(filter.paths) }),
    ...(filter?.tags === undefined ? {} : { tags: sorted(filter.tags) }),
  };
  const said = {
    ...{ type: 'KithGrant', v: 1, id: toHex(random.bytes(16)), issuer: issuer.did, holder, kb, name },
    ...{ rights: sorted(rights), from, until },
    ...(Object.keys(narrowed).length === 0 ? {} : { filter: narrowed }),
  };
  const signature = toBase64url(issuer.sign('knowledge-grant', canonicalBytes(said)));
  // Nothing leaves that would not be taken.
  return readGrant(canonicalBytes({ ...said, signature }));
}

/**
 * The grant in these bytes, if they are one to the last bit and its issuer signed it. Says nothing of when it holds.
 *
 * @throws InputError `grant_invalid`
 */
export function readGrant(bytes: Uint8Array): Grant {
  if (bytes.length > GRANT_BOUNDS.bytes) throw invalid(`it is larger than ${GRANT_BOUNDS.bytes} bytes`);
  const parsed = schema.safeParse(reader.json(bytes));
  if (!parsed.success)
    throw invalid(`'${parsed.error.issues[0]?.path.join('.') ?? ''}' is not what a grant says there`);
  const { signature, type: _type, v: _v, ...said } = parsed.data;
  reader.requireCanonical(parsed.data, bytes);
  if (said.issuer === said.holder) throw invalid('it is given to its own issuer');
  const life = said.until - said.from;
  if (life <= 0 || life > GRANT_BOUNDS.lifeMs)
    throw invalid('it does not hold for more than 0 and at most 366 days');
  reader.keyOf(said.holder);
  const key = reader.keyOf(said.issuer);
  const proof = fromBase64url(signature, SIGNATURE_BYTES);
  const { signature: _signature, ...signed } = parsed.data;
  if (proof === null || !verify(key, 'knowledge-grant', canonicalBytes(signed), proof))
    throw invalid(`the signature of ${said.issuer} does not hold`);
  return { ...said, bytes: Uint8Array.from(bytes) };
}

export const grantText = ({ bytes }: Pick<Grant, 'bytes'>): string => `${SCHEME}${toBase64url(bytes)}`;

/** As `readGrant`, of the line of text; white space around and within it does no harm, since mail programs break lines. */
export function readGrantText(text: string): Grant {
  if (text.length > 2 * GRANT_BOUNDS.bytes) throw invalid(`it is larger than ${GRANT_BOUNDS.bytes} bytes`);
  const line = text.replaceAll(/\s+/g, '');
  if (!line.startsWith(SCHEME)) throw invalid(`it does not begin with ${SCHEME}`);
  const encoded = line.slice(SCHEME.length);
  const bytes = Buffer.from(encoded, 'base64url');
  if (bytes.toString('base64url') !== encoded)
    throw invalid('it is no base64url, or a part of it is missing');
  return readGrant(Uint8Array.from(bytes));
}

function invalid(why: string, cause?: unknown): InputError {
  return new InputError(
    'grant_invalid',
    `This is no valid grant: ${why}. Have it sent again by who gave it.`,
    {
      ...(cause === undefined ? {} : { cause }),
    },
  );
}

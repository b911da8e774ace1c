/**
 * A grant of a tenant: its owner says that one peer may use it, too. It is shown with each call. The label of a tenant is the same at
 * all of its Eves, and so is the grant.
 *
 * Version 1, as canonical JSON (RFC 8785), at most 4096 bytes:
 *
 * | Field | Holds |
 * |---|---|
 * | `type`, `v` | `KithVaultGrant`, 1 |
 * | `id` | 32 hex digits, drawn at random; what is revoked |
 * | `issuer`, `holder` | `did:key` of the tenant's owner and of the only one who may use it; they differ |
 * | `label` | the tenant: 32 hex digits |
 * | `rights` | `read`, `write` or both, in this order. `write` is to put blocks and to set heads, never to delete |
 * | `from`, `until` | when it holds, ms since 1970, at most 366 days |
 * | `signature` | Ed25519 of the issuer for the purpose `vault-grant` over the canonical bytes without this; base64url |
 *
 * @module vault/eve/grant
 */
import { z } from 'zod';
import { canonicalBytes, InputError, type Random, toHex } from '../../base/index.ts';
import { fromBase64url, type Identity, statementReader, toBase64url, verify } from '../../identity/index.ts';
import { VAULT_WIRE } from '../wire/messages.ts';

export const VAULT_RIGHTS = ['read', 'write'] as const;
export type VaultRight = (typeof VAULT_RIGHTS)[number];

const LIFE_MS = 366 * 86_400_000;
const SIGNATURE_BYTES = 64;
const hex32 = z.string().regex(/^[0-9a-f]{32}$/);
const moment = z.int().min(0).max(8.64e15);
const schema = z.strictObject({
  type: z.literal('KithVaultGrant'),
  v: z.literal(1),
  id: hex32,
  issuer: z.string().min(1).max(128),
  holder: z.string().min(1).max(128),
  label: hex32,
  rights: z
    .array(z.enum(VAULT_RIGHTS))
    .min(1)
    .refine((rights) => rights.every((right, i) => i === 0 || rights[i - 1]! < right)),
  from: moment,
  until: moment,
  signature: z.string().max(100),
});

export interface VaultGrantTerms {
  readonly holder: string;
  readonly label: string;
  readonly rights: readonly VaultRight[];
  readonly from: number;
  readonly until: number;
}

export interface VaultGrant extends VaultGrantTerms {
  readonly id: string;
  readonly issuer: string;
  readonly bytes: Uint8Array;
}

const reader = statementReader(invalid);

/** @throws InputError `vault_grant_invalid`: what it is to say is no grant */
export function signVaultGrant(
  issuer: Pick<Identity, 'did' | 'sign'>,
  { holder, label, rights, from, until }: VaultGrantTerms,
  random: Pick<Random, 'bytes'>,
): VaultGrant {
  const said = {
    ...{ type: 'KithVaultGrant', v: 1, id: toHex(random.bytes(16)), issuer: issuer.did, holder, label },
    ...{ rights: [...new Set(rights)].sort(), from, until },
  };
  const signature = toBase64url(issuer.sign('vault-grant', canonicalBytes(said)));
  return readVaultGrant(canonicalBytes({ ...said, signature }));
}

/** Says nothing of when it holds. @throws InputError `vault_grant_invalid` */
export function readVaultGrant(bytes: Uint8Array): VaultGrant {
  if (bytes.length > VAULT_WIRE.grantBytes) throw invalid(`it is larger than ${VAULT_WIRE.grantBytes} bytes`);
  const parsed = schema.safeParse(reader.json(bytes));
  if (!parsed.success)
    throw invalid(`'${parsed.error.issues[0]?.path.join('.') ?? ''}' is not what a grant says there`);
  const { signature, ...signed } = parsed.data;
  reader.requireCanonical(parsed.data, bytes);
  const { type: _type, v: _v, ...terms } = signed;
  if (terms.issuer === terms.holder) throw invalid('it is given to its own issuer');
  const life = terms.until - terms.from;
  if (life <= 0 || life > LIFE_MS) throw invalid('it does not hold for more than 0 and at most 366 days');
  reader.keyOf(terms.holder);
  const proof = fromBase64url(signature, SIGNATURE_BYTES);
  if (proof === null || !verify(reader.keyOf(terms.issuer), 'vault-grant', canonicalBytes(signed), proof))
    throw invalid(`the signature of ${terms.issuer} does not hold`);
  return { ...terms, bytes: Uint8Array.from(bytes) };
}

function invalid(why: string, cause?: unknown): InputError {
  return new InputError(
    'vault_grant_invalid',
    `This is no valid grant of a tenant: ${why}. Have it given again by the tenant's owner.`,
    cause === undefined ? {} : { cause },
  );
}

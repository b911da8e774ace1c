/**
 * What a tenant is about, for its owner on a machine that has nothing but the key: which collection, in which mode, on which Eves.
 * Sealed under a key that belongs to the tenant's label, and kept there as the head `about`.
 *
 * @module vault/collection/about
 */
import { type CborMap, decodeCbor, encodeCbor, Fields, isMap, type Random } from '../../base/index.ts';
import { CHECK_BYTES, type VaultRoot } from '../keys/keys.ts';
import { type PassphraseMark, SALT_BYTES } from '../keys/passphrase.ts';
import type { Place } from '../place/rendezvous.ts';
import { VAULT_MODES, type VaultMode } from '../seal/manifest.ts';
import { damaged, openWithNonce, sealWithNonce } from '../seal/record.ts';

export const ABOUT_HEAD = 'about';
/** Eves of one collection. */
export const MAX_EVES = 64;
const CBOR = { maxBytes: 32_768, maxItems: 2048, maxDepth: 4 };

export interface About {
  /** Id of the collection. */
  readonly id: string;
  /** What its owner calls it. */
  readonly name: string;
  readonly mode: VaultMode;
  readonly replicas: number;
  readonly eves: readonly Place[];
  /** Null: the identity's key alone opens it. */
  readonly passphrase: PassphraseMark | null;
}

const aad = (label: string): Buffer => Buffer.from(`kith-about-v1\0${label}\0`);

export function sealAbout(
  root: VaultRoot,
  label: string,
  about: About,
  random: Pick<Random, 'bytes'>,
): Uint8Array {
  const { id, name, mode, replicas, eves, passphrase } = about;
  const plain = encodeCbor(
    {
      // What the key alone opens is of version 1 as before: who has an older version of Kith reads it.
      ...(passphrase === null ? { v: 1 } : { v: 2, secret: 'passphrase', ...passphrase }),
      ...{ id, name, mode, replicas, eves: eves.map(({ peer, operator }) => ({ peer, operator })) },
    },
    CBOR,
  );
  return sealWithNonce(root.aboutKey(label), aad(label), plain, random);
}

/** @throws KithError `vault_damaged` */
export function openAbout(root: VaultRoot, label: string, bytes: Uint8Array): About {
  const what = 'what the tenant is about';
  const plain = openWithNonce(root.aboutKey(label), aad(label), bytes, what);
  try {
    const fields = new Fields(decodeCbor(plain, CBOR) as CborMap, what, damaged);
    const version = fields.count('v', 2);
    if (version < 1) throw damaged(what);
    const about = {
      ...{ id: fields.text('id', 64, 1), name: fields.text('name', 200, 1) },
      ...{ mode: fields.oneOf('mode', VAULT_MODES), replicas: fields.count('replicas', MAX_EVES) },
      eves: fields.list('eves', MAX_EVES).map((eve) => {
        if (!isMap(eve)) throw damaged(what);
        const each = new Fields(eve, what, damaged);
        return { peer: each.text('peer', 128, 1), operator: each.textOrNull('operator', 200) };
      }),
      passphrase: version === 2 ? markOf(fields, what) : null,
    };
    fields.end();
    return about;
  } catch (error) {
    throw damaged(what, error);
  }
}

function markOf(fields: Fields, what: string): PassphraseMark {
  fields.oneOf('secret', ['passphrase']);
  const mark = { salt: fields.bytesUpTo('salt', SALT_BYTES), check: fields.bytesUpTo('check', CHECK_BYTES) };
  if (mark.salt.length !== SALT_BYTES || mark.check.length !== CHECK_BYTES) throw damaged(what);
  return mark;
}

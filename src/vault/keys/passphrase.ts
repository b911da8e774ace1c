/**
 * A passphrase beside the identity: who gets hold of the key alone cannot open what is placed with it. What tenants are called, and what they
 * are about, stays derived from the identity, so that its owner finds them again.
 *
 * @module vault/keys/passphrase
 */
import { scrypt, timingSafeEqual } from 'node:crypto';
import { InputError, KithError, type Random } from '../../base/index.ts';
import { KEY_BYTES, type VaultRoot } from './keys.ts';

export const PASSPHRASE_CHARS = { min: 12, max: 1024 } as const;
export const SALT_BYTES = 16;

/** 128 MiB and some 0.4 s, as for the key file. */
const COST = { N: 2 ** 17, r: 8, p: 1, maxmem: 160 * 1024 * 1024 } as const;

/** By which a passphrase is known again: it stands, sealed, with what a tenant is about. */
export interface PassphraseMark {
  /** 16 bytes. */
  readonly salt: Uint8Array;
  /** Of the root that the right passphrase gives, 16 bytes. */
  readonly check: Uint8Array;
}

/** What a passphrase became: all that its collection needs beside the identity. */
export interface PassphraseSecret {
  readonly mark: PassphraseMark;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

/** @throws InputError `vault_passphrase`: too short or too long to be one */
export async function newPassphraseSecret(
  root: VaultRoot,
  passphrase: string,
  random: Pick<Random, 'bytes'>,
): Promise<PassphraseSecret> {
  const salt = random.bytes(SALT_BYTES);
  const key = await stretched(passphrase, salt);
  return { key, mark: { salt, check: root.beside(key).check } };
}

/** Null: it is another one. @throws InputError `vault_passphrase` */
export async function passphraseSecretOf(
  root: VaultRoot,
  passphrase: string,
  mark: PassphraseMark,
): Promise<PassphraseSecret | null> {
  const key = await stretched(passphrase, mark.salt);
  const { check } = root.beside(key);
  return check.length === mark.check.length && timingSafeEqual(check, mark.check) ? { key, mark } : null;
}

export const isSameMark = (a: PassphraseMark | null, b: PassphraseMark | null): boolean =>
  a === null || b === null
    ? a === b
    : Buffer.compare(a.salt, b.salt) === 0 && Buffer.compare(a.check, b.check) === 0;

async function stretched(passphrase: string, salt: Uint8Array): Promise<Uint8Array> {
  const text = passphrase.normalize('NFC');
  const { min, max } = PASSPHRASE_CHARS;
  if ([...text].length < min || text.length > max)
    throw new InputError(
      'vault_passphrase',
      `The passphrase of a vault has ${min} to ${max} characters: whoever has the key and the blocks may try as many as they like. Take several words.`,
      { param: 'passphrase' },
    );
  return new Promise((resolve, reject) =>
    scrypt(
      Buffer.from(text),
      Buffer.concat([Buffer.from('kith-vault-passphrase-v1\0'), salt]),
      KEY_BYTES,
      COST,
      (error, made) =>
        error === null
          ? resolve(Uint8Array.from(made))
          : reject(
              new KithError('vault_passphrase', `The passphrase could not be computed: ${error.message}.`, {
                cause: error,
              }),
            ),
    ),
  );
}

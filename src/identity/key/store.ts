/**
 * The node's key on disk: made once, opened at every start, replaced only by those who say so.
 *
 * ```
 * identity/key.json          the key (key-file.ts)
 * identity/peer-id           its PeerId: if this is there and the key is not, the key was lost, and none is made in its place
 * identity/retired/*.json    keys that were replaced
 * ```
 *
 * Whatever is wrong with the file is an error: nothing here ever answers damage with a new identity.
 *
 * @module identity/key/store
 */
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno, KithError, type Random, writeFileAtomic } from '../../base/index.ts';
import type { Identity } from '../types.ts';
import {
  identityFolder,
  keyFilePath,
  linkNew,
  lockKey,
  openIdentityFolder,
  readSecretFile,
  sweep,
  writeNewSecret,
} from './folder.ts';
import { type KeyFile, readKeyFile, writeKeyFile } from './key-file.ts';
import { KEY_MAX_BYTES } from './private-forms.ts';
import { createIdentity, SEED_BYTES } from './sign.ts';

/** Gives the passphrase of the key; null when there is nobody to ask. Called only when the key has one. */
export type AskPassphrase = () => Promise<string | null>;

export interface OpenIdentityOptions {
  readonly home: string;
  readonly random: Random;
  readonly passphrase: AskPassphrase;
}

export interface OpenedIdentity {
  readonly identity: Identity;
  /** Whether the file needs a passphrase. */
  readonly isProtected: boolean;
  readonly path: string;
  /** Whether this call made the key. */
  readonly isNew: boolean;
}

/**
 * The key of this home, made at the first call ever. Of two processes that make one at once, one wins and both use it.
 *
 * Throws KithError `key_file_damaged`, `key_file_exposed`, `key_file_unreadable`, `key_file_version`, `identity_lost`,
 * `passphrase_missing`, `passphrase_wrong`.
 */
export async function openKey(options: OpenIdentityOptions): Promise<OpenedIdentity> {
  const { home, random, passphrase } = options;
  await openIdentityFolder(home);
  const there = await readKey(home);
  if (there !== null) return opened(home, there, passphrase, false);
  const isNew = await createKey(home, { random, passphrase: null, anew: false });
  const made = await readKey(home);
  if (made === null) throw missing(home);
  return opened(home, made, passphrase, isNew);
}

async function opened(
  home: string,
  file: KeyFile,
  ask: AskPassphrase,
  isNew: boolean,
): Promise<OpenedIdentity> {
  const seed = await file.open(ask);
  const identity = createIdentity(seed);
  seed.fill(0);
  return { identity, isProtected: file.isProtected, path: keyFilePath(home), isNew };
}

/** The key file, or null when there is none. Throws as `openKey`, but for passphrases. */
export async function readKey(home: string): Promise<KeyFile | null> {
  const path = keyFilePath(home);
  // A home that has no such folder has no key either; one that is open to others is refused before the key is read.
  if (!(await exists(identityFolder(home)))) return null;
  await openIdentityFolder(home);
  const bytes = await readSecretFile(path, KEY_MAX_BYTES);
  return bytes === null ? null : readKeyFile(bytes, path);
}

/** As `readKey`, for who needs one. Throws KithError `identity_missing` beside those. */
export async function requireKey(home: string): Promise<KeyFile> {
  const file = await readKey(home);
  if (file === null) throw missing(home);
  return file;
}

export interface CreateKeyOptions {
  readonly random: Random;
  /** Null: the file is plain. */
  readonly passphrase: string | null;
  /** Makes a key also where a former one was lost. */
  readonly anew: boolean;
}

/** Makes the key of a home; false when it has one. Throws KithError `identity_lost`, `write_failed`, `disk_full`. */
export async function createKey(
  home: string,
  { random, passphrase, anew }: CreateKeyOptions,
): Promise<boolean> {
  const folder = await openIdentityFolder(home);
  await using _lock = await lockKey(folder, 'making the key');
  const former = await formerPeerId(folder);
  if (former !== null && !anew && (await readKey(home)) === null) {
    throw new KithError(
      'identity_lost',
      `The key file ${keyFilePath(home)} is gone; this home was ${former}. Put back a copy, import an exported key ` +
        '(kith identity import FILE), or start over as somebody else: kith identity create --anew',
    );
  }
  await sweep(folder);
  const seed = random.bytes(SEED_BYTES);
  const isNew = await placeKey(folder, await writeKeyFile(seed, passphrase, random));
  seed.fill(0);
  return isNew;
}

/** Puts a key file where none is; false when one is. Only for the holder of the lock. */
export async function placeKey(folder: string, bytes: Uint8Array): Promise<boolean> {
  const isNew = await writeNewSecret(folder, 'key.json', bytes);
  if (isNew) await notePeerId(folder, readKeyFile(bytes, 'the new key file').peerId);
  return isNew;
}

/** Puts a key file in the place of another. Only for the holder of the lock. */
export async function replaceKey(folder: string, bytes: Uint8Array): Promise<void> {
  await writeFileAtomic(join(folder, 'key.json'), bytes, { mode: 0o600 });
  await notePeerId(folder, readKeyFile(bytes, 'the new key file').peerId);
}

/**
 * Keeps the current key file under `retired/`, and says where. Only for the holder of the lock. Takes the file as it is:
 * what cannot be read is kept too.
 */
export async function retireKey(folder: string): Promise<string> {
  const current = join(folder, 'key.json');
  const retired = join(folder, 'retired');
  await mkdir(retired, { recursive: true, mode: 0o700 });
  const bytes = await readFile(current);
  const name = peerIdOrDamaged(bytes);
  for (let copy = 1; ; copy++) {
    const path = join(retired, copy === 1 ? `${name}.json` : `${name}-${copy}.json`);
    if (await linkNew(current, path)) return path;
    if (bytes.equals(await readFile(path))) return path;
  }
}

function peerIdOrDamaged(bytes: Uint8Array): string {
  try {
    return readKeyFile(bytes, 'the key file').peerId;
  } catch (error) {
    if (error instanceof KithError) return 'damaged';
    throw error;
  }
}

/** The PeerId that this home had last, or null when it never had one. */
async function formerPeerId(folder: string): Promise<string | null> {
  try {
    return (await readFile(join(folder, 'peer-id'), 'utf8')).trim().slice(0, 64) || null;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null;
    throw error;
  }
}

/** Notes whose home this is. Only for the holder of the lock. */
export async function notePeerId(folder: string, peerId: string): Promise<void> {
  await writeFileAtomic(join(folder, 'peer-id'), `${peerId}\n`, { mode: 0o600 });
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

function missing(home: string): KithError {
  return new KithError(
    'identity_missing',
    `There is no key in ${identityFolder(home)} yet. The first \`kith start\` makes one; so does: kith identity create`,
    { status: 404 },
  );
}

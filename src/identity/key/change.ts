/**
 * Changes of the key file that its owner asks for: another key in its place, a passphrase more or less.
 *
 * @module identity/key/change
 */
import { isKithError, KithError, type Random } from '../../base/index.ts';
import { lockKey, openIdentityFolder, sweep } from './folder.ts';
import { looksLikeKeyFile, readKeyFile, writeKeyFile } from './key-file.ts';
import { readPrivateKey } from './private-forms.ts';
import { type AskPassphrase, placeKey, readKey, replaceKey, requireKey, retireKey } from './store.ts';

export interface ImportKeyOptions {
  readonly random: Random;
  /** Of the imported file, if it is a protected key file; its key stays under that passphrase. */
  readonly passphrase: AskPassphrase;
  /** For a key that comes without protection: the passphrase it gets here, or null for none. */
  readonly protectWith: string | null;
  /** Puts it in the place of the key that is there, which is kept under `retired/`. */
  readonly replace: boolean;
  /** Where the bytes come from, for errors. */
  readonly place: string;
}

export interface ImportedKey {
  readonly peerId: string;
  readonly isProtected: boolean;
  /** False when the home had this very key. */
  readonly isNew: boolean;
  /** Where the former key is kept; null when there was none. */
  readonly retired: string | null;
}

/**
 * Makes a private key in any known form the key of this home. The node must not run.
 *
 * Throws InputError `private_key_invalid`, `private_key_mismatch`; KithError `key_exists`, and for a key file of Kith
 * `key_file_damaged`, `key_file_version`, `passphrase_missing`, `passphrase_wrong`.
 */
export async function importKey(
  home: string,
  bytes: Uint8Array,
  options: ImportKeyOptions,
): Promise<ImportedKey> {
  const { replace, place } = options;
  const file = await keyFileOf(bytes, options);
  const { peerId, isProtected } = readKeyFile(file, place);
  const folder = await openIdentityFolder(home);
  await using _lock = await lockKey(folder, 'importing a key');
  await sweep(folder);
  const current = await currentPeerId(home, replace);
  if (current === peerId) {
    const held = await requireKey(home);
    return { peerId, isProtected: held.isProtected, isNew: false, retired: null };
  }
  if (current !== null && !replace) throw taken(current);
  if (current === null) {
    if (!(await placeKey(folder, file))) throw taken('another key');
    return { peerId, isProtected, isNew: true, retired: null };
  }
  const retired = await retireKey(folder);
  await replaceKey(folder, file);
  return { peerId, isProtected, isNew: true, retired };
}

async function keyFileOf(
  bytes: Uint8Array,
  { random, passphrase, protectWith, place }: ImportKeyOptions,
): Promise<Uint8Array> {
  if (looksLikeKeyFile(bytes)) {
    const file = readKeyFile(bytes, place);
    // Opened also where it stays sealed: a key that its owner cannot open is none to put in the place of another.
    const seed = await file.open(passphrase);
    return file.isProtected ? Uint8Array.from(bytes) : writeKeyFile(seed, protectWith, random);
  }
  return writeKeyFile(readPrivateKey(bytes).seed, protectWith, random);
}

/** PeerId of the key in place, null for none; a damaged one has none, and may be replaced. */
async function currentPeerId(home: string, replace: boolean): Promise<string | null> {
  try {
    return (await readKey(home))?.peerId ?? null;
  } catch (error) {
    if (replace && isKithError(error) && ['key_file_damaged', 'key_file_version'].includes(error.code))
      return '';
    throw error;
  }
}

function taken(current: string): KithError {
  return new KithError(
    'key_exists',
    `This home has the key of ${current}. Nothing was changed. With --replace the new key takes its place, and the ` +
      'old one is kept beside it; or import into another home with --home DIR.',
    { status: 409 },
  );
}

/**
 * Puts the key of a home under a passphrase, another one, or none (null). What is on the disk afterwards is one file in the
 * new form; no copy in the old form is kept. Returns the PeerId.
 *
 * Throws KithError `identity_missing`, `passphrase_missing`, `passphrase_wrong`, InputError `passphrase_invalid`.
 */
export async function protectKey(
  home: string,
  options: {
    readonly random: Random;
    /** Of the key as it is, if it has one. */
    readonly passphrase: AskPassphrase;
    readonly protectWith: string | null;
  },
): Promise<string> {
  const folder = await openIdentityFolder(home);
  await using _lock = await lockKey(folder, 'changing the passphrase of the key');
  await sweep(folder);
  const file = await requireKey(home);
  const seed = await file.open(options.passphrase);
  await replaceKey(folder, await writeKeyFile(seed, options.protectWith, options.random));
  seed.fill(0);
  return file.peerId;
}

/**
 * A node's own hand-overs: made, kept, and finished after a crash.
 *
 * ```
 * identity/hand-overs.json    signed statements of this home, oldest first: a JSON list
 * identity/key-next.json      the new key while a rotation is under way
 * ```
 *
 * The steps: new key beside the old one; old key kept under `retired/`; statement; new key in place. A crash before the
 * statement leaves the old key in force, a crash after it is finished at the next opening: there is never a moment at which
 * a successor is named whose key is not on the disk.
 *
 * @module identity/rotation/rotate
 */
import { rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Clock,
  InputError,
  isErrno,
  isKithError,
  KithError,
  type Random,
  readFileBounded,
  syncFolder,
  writeFileAtomic,
} from '../../base/index.ts';
import {
  identityFolder,
  lockKey,
  openIdentityFolder,
  readSecretFile,
  sweep,
  writeNewSecret,
} from '../key/folder.ts';
import { readKeyFile, writeKeyFile } from '../key/key-file.ts';
import { didOfPeerId } from '../key/names.ts';
import { KEY_MAX_BYTES } from '../key/private-forms.ts';
import { createIdentity, SEED_BYTES } from '../key/sign.ts';
import { type AskPassphrase, notePeerId, readKey, requireKey, retireKey } from '../key/store.ts';
import { HAND_OVER_MAX_BYTES, type HandOver, readHandOver, signHandOver } from './statement.ts';
import { SUCCESSION_MAX } from './succession.ts';

const handOversPath = (home: string): string => join(identityFolder(home), 'hand-overs.json');
const MAX_BYTES = 4 * SUCCESSION_MAX * HAND_OVER_MAX_BYTES;

export interface RotateOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Of the old key, when it has one; the new key gets the same. */
  readonly passphrase: AskPassphrase;
}

export interface Rotated {
  readonly handOver: HandOver;
  /** Where the old key is kept. */
  readonly retired: string;
  readonly isProtected: boolean;
}

/**
 * Gives the home a new key that the old one names as its successor. The node must not run.
 * Throws KithError as `openIdentity`, `rotation_conflict` when this key has a successor already.
 */
export async function rotateKey(
  home: string,
  { clock, random, passphrase }: RotateOptions,
): Promise<Rotated> {
  const folder = await openIdentityFolder(home);
  await using _lock = await lockKey(folder, 'rotating the key');
  await finishRotation(home);
  await sweep(folder);
  const file = await requireKey(home);
  const handOvers = await readHandOvers(home);
  const did = didOfPeerId(file.peerId);
  const successor = handOvers.find(({ from }) => from === did);
  if (successor !== undefined) {
    throw new KithError(
      'rotation_conflict',
      `${did} has handed over to ${successor.to} already. A second successor would be held against both; ` +
        'put the key of that successor in place: kith identity import FILE --replace',
      { status: 409 },
    );
  }
  let given: string | null = null;
  const oldSeed = await file.open(async () => {
    given = await passphrase();
    return given;
  });
  const newSeed = random.bytes(SEED_BYTES);
  // A chain goes forward in time, also where the clock was set back.
  const at = Math.max(clock.now(), ...handOvers.map((each) => each.at));
  const handOver = signHandOver(createIdentity(oldSeed), createIdentity(newSeed), at);
  const bytes = await writeKeyFile(newSeed, given, random);
  oldSeed.fill(0);
  newSeed.fill(0);
  // One from a rotation that did not come as far as its statement names nobody.
  await unlink(join(folder, 'key-next.json')).catch(ignoreMissing);
  await writeNewSecret(folder, 'key-next.json', bytes);
  const retired = await retireKey(folder);
  await writeHandOvers(home, [...handOvers, handOver]);
  await finishRotation(home);
  return { handOver, retired, isProtected: file.isProtected };
}

/** Puts the new key in place if the old one has named it. Only for the holder of the lock. True when it did. */
async function finishRotation(home: string): Promise<boolean> {
  const folder = identityFolder(home);
  const nextPath = join(folder, 'key-next.json');
  const bytes = await readSecretFile(nextPath, KEY_MAX_BYTES);
  if (bytes === null) return false;
  const next = didOfPeerId(readKeyFile(bytes, nextPath).peerId);
  const current = didOfPeerId((await requireKey(home)).peerId);
  const handOvers = await readHandOvers(home);
  if (!handOvers.some(({ from, to }) => from === current && to === next)) return false;
  await rename(nextPath, join(folder, 'key.json'));
  await syncFolder(folder);
  await notePeerId(folder, readKeyFile(bytes, nextPath).peerId);
  return true;
}

/** Finishes a rotation that a crash cut off. Cheap when there is none. True when there was one. */
export async function recoverRotation(home: string): Promise<boolean> {
  const next = await readSecretFile(join(identityFolder(home), 'key-next.json'), KEY_MAX_BYTES);
  if (next === null || (await readKey(home)) === null) return false;
  await using _lock = await lockKey(identityFolder(home), 'finishing a rotation');
  return finishRotation(home);
}

/**
 * The hand-overs that this home keeps, oldest first; each is verified again.
 * Throws InputError `rotation_invalid` when the file is damaged.
 */
export async function readHandOvers(home: string): Promise<readonly HandOver[]> {
  const path = handOversPath(home);
  let bytes: Uint8Array;
  try {
    bytes = await readFileBounded(path, MAX_BYTES);
  } catch (error) {
    if (isKithError(error) && error.code === 'file_not_found') return [];
    throw error;
  }
  // Dates are for readers elsewhere: this machine's clock may have been set back since.
  return parseHandOvers(bytes, Number.MAX_SAFE_INTEGER, path);
}

/**
 * One statement, or a JSON list of statements, as files of others have them.
 * Throws InputError `rotation_invalid`.
 */
export function parseHandOvers(bytes: Uint8Array, now: number, place: string): readonly HandOver[] {
  const damaged = (cause: unknown) =>
    new InputError('rotation_invalid', `${place} holds no hand-overs: it is damaged or something else.`, {
      cause,
    });
  if (bytes.length > MAX_BYTES) throw damaged(new RangeError('It is too large.'));
  let list: unknown;
  try {
    list = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw damaged(error);
  }
  // Each statement is held to its own canonical bytes; what stands around them in a list is not signed.
  if (!Array.isArray(list)) return [readHandOver(trimmed(bytes), now)];
  return list.map((text: unknown) => {
    if (typeof text !== 'string') throw damaged(new TypeError('An entry is no text.'));
    return readHandOver(new TextEncoder().encode(text), now);
  });
}

/** The form that `parseHandOvers` reads: a JSON list of texts, since the bytes of each are what was signed. */
export function writeHandOverList(handOvers: readonly HandOver[]): string {
  const texts = handOvers.map(({ bytes }) => new TextDecoder().decode(bytes));
  return `${JSON.stringify(texts, null, 2)}\n`;
}

async function writeHandOvers(home: string, handOvers: readonly HandOver[]): Promise<void> {
  await writeFileAtomic(handOversPath(home), writeHandOverList(handOvers), { mode: 0o600 });
}

/** Without the line break that editors and shells put at the end. */
function trimmed(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end--;
  return bytes.subarray(0, end);
}

function ignoreMissing(error: unknown): void {
  if (!isErrno(error, 'ENOENT')) throw error;
}

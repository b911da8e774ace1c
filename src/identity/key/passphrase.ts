/**
 * Where the passphrase of a key comes from: a file, a credential of the service manager, a descriptor. Never an argument or
 * the value of a variable, which other processes of the user can read.
 *
 * @module identity/key/passphrase
 */
import { read } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { InputError, isKithError, messageOf, readFileBounded } from '../../base/index.ts';
import { PASSPHRASE_MAX_BYTES } from './sealed.ts';
import type { AskPassphrase } from './store.ts';

/** Name of the credential that systemd (LoadCredential=) puts into `$CREDENTIALS_DIRECTORY`. */
export const PASSPHRASE_CREDENTIAL = 'kith-passphrase';

export interface PassphraseSources {
  /** Path of a file, `/dev/fd/N` included; empty for none. */
  readonly file: string;
  /** `$CREDENTIALS_DIRECTORY`. */
  readonly credentials: string | undefined;
  /** Asked last. */
  readonly ask?: AskPassphrase | undefined;
}

/** The first source there is. Throws InputError `passphrase_invalid` when that source is named and gives none. */
export function passphraseFrom({ file, credentials, ask }: PassphraseSources): AskPassphrase {
  return async () => {
    if (file !== '') return readPassphraseFile(file);
    const credential = credentials ? join(credentials, PASSPHRASE_CREDENTIAL) : null;
    if (credential !== null && (await isThere(credential))) return readPassphraseFile(credential);
    return ask === undefined ? null : ask();
  };
}

/** One line of UTF-8, with or without its line break. Throws InputError `passphrase_invalid`. */
export async function readPassphraseFile(path: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readFileBounded(path, PASSPHRASE_MAX_BYTES + 2);
  } catch (error) {
    if (!isKithError(error)) throw error;
    throw invalid(`the passphrase file ${path} cannot be used: ${messageOf(error)}`, error);
  }
  return lineOf(bytes, path);
}

const readFd = promisify(read);

/** As `readPassphraseFile`, from an open descriptor, up to the first line break. Throws InputError `passphrase_invalid`. */
export async function readPassphraseFd(fd: number): Promise<string> {
  const place = `descriptor ${fd}`;
  const buffer = new Uint8Array(PASSPHRASE_MAX_BYTES + 2);
  let length = 0;
  try {
    while (length < buffer.length && !buffer.subarray(0, length).includes(0x0a)) {
      const { bytesRead } = await readFd(fd, buffer, length, buffer.length - length, null);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
  } catch (error) {
    throw invalid(`${place} cannot be read: ${messageOf(error)}`, error);
  }
  const end = buffer.subarray(0, length).indexOf(0x0a);
  return lineOf(buffer.subarray(0, end < 0 ? length : end + 1), place);
}

function lineOf(bytes: Uint8Array, place: string): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes).replace(/\r?\n$/, '');
  } catch (error) {
    throw invalid(`${place} does not hold UTF-8 text`, error);
  }
  if (text === '') throw invalid(`${place} is empty`);
  if (/[\r\n\0]/.test(text)) throw invalid(`${place} holds more than one line`);
  if (Buffer.byteLength(text) > PASSPHRASE_MAX_BYTES)
    throw invalid(`${place} holds more than ${PASSPHRASE_MAX_BYTES} bytes`);
  return text;
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function invalid(why: string, cause?: unknown): InputError {
  return new InputError('passphrase_invalid', `There is no passphrase: ${why}. Give one line of text.`, {
    ...(cause === undefined ? {} : { cause }),
  });
}

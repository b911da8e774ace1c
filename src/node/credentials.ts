/**
 * Keys and certificates of backends, from where the configuration says they are: a variable, a file, or the text itself.
 * Values never appear in errors and logs.
 *
 * @module node/credentials
 */
import { stat } from 'node:fs/promises';
import { InputError, messageOf, readFileBounded } from '../base/index.ts';

export type Env = Readonly<Record<string, string | undefined>>;

const maxKeyBytes = 16_384;
const maxPemBytes = 1_048_576;

/**
 * What a field such as `key` stands for: `env:NAME`, `file:/path`, or itself.
 *
 * @param place for errors: `backends[0].key`
 * @throws InputError `config_invalid`
 */
export async function readSecret(
  text: string,
  place: string,
  env: Env,
  warn: (message: string, path: string) => void,
): Promise<string> {
  if (text.startsWith('env:')) {
    const name = text.slice(4);
    const value = env[name]?.trim() ?? '';
    if (value === '')
      throw wrong(
        place,
        `${place} is read from the variable ${name}, which is not set; set it, or name another.`,
      );
    return checked(value, place);
  }
  if (!text.startsWith('file:')) return text;
  const path = text.slice(5);
  await warnIfOpen(
    path,
    `The file with the key of ${place} can be read by other users of this machine: chmod 600`,
    warn,
  );
  const value = (await readWhole(path, maxKeyBytes, place)).trim();
  if (value === '') throw wrong(place, `${place} is read from ${path}, which is empty.`);
  return checked(value, place);
}

/** @throws InputError `config_invalid` */
export function readPem(path: string, place: string): Promise<string> {
  return readWhole(path, maxPemBytes, place);
}

/** Says so when others may read the file. Windows has no such bits. */
export async function warnIfOpen(
  path: string,
  message: string,
  warn: (message: string, path: string) => void,
): Promise<void> {
  if (process.platform === 'win32') return;
  const mode = await stat(path).then(
    (found) => found.mode,
    () => 0,
  );
  if ((mode & 0o077) !== 0) warn(message, path);
}

async function readWhole(path: string, maxBytes: number, place: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFileBounded(path, maxBytes));
  } catch (error) {
    throw wrong(place, `${place} names the file ${path}, which cannot be read: ${messageOf(error)}.`, error);
  }
}

/** A line break in a header would be one more header. */
function checked(value: string, place: string): string {
  if (/^[\x21-\x7e]+( [\x21-\x7e]+)*$/.test(value)) return value;
  throw wrong(place, `What ${place} leads to is not one line of printable ASCII.`);
}

function wrong(place: string, message: string, cause?: unknown): InputError {
  return new InputError('config_invalid', message, {
    param: place,
    ...(cause === undefined ? {} : { cause }),
  });
}

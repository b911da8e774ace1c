/**
 * The key file of a private network: 32 bytes that every member has. Who has it is in; nobody else can even shake hands.
 *
 * Format: three lines, `/key/swarm/psk/1.0.0/`, `/base16/`, 64 hex digits
 * (https://github.com/libp2p/specs/blob/master/pnet/Private-Networks-PSK-V1.md), so that other libp2p programs take it too.
 *
 * @module node/swarm-psk
 */
import { createHash } from 'node:crypto';
import { mkdir, open, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  InputError,
  isErrno,
  KithError,
  type Random,
  readFileBounded,
  syncFolder,
  writeError,
} from '../base/index.ts';

const HEAD = '/key/swarm/psk/1.0.0/';
const MAX_BYTES = 4096;

/** Where `kith network` keeps the key of the network that a home is in. */
export const networkKeyPath = (home: string): string => join(home, 'swarm', 'network.key');

/** A new key as 64 hex digits. */
export function newNetworkKey(random: Random): string {
  return Buffer.from(random.bytes(32)).toString('hex');
}

/** The file's text for a key of 64 hex digits. */
export function networkKeyText(key: string): string {
  return `${HEAD}\n/base16/\n${key}\n`;
}

/** The key in a file's text, or in 64 bare hex digits. Throws InputError `network_key_invalid`, which never shows the text. */
export function parseNetworkKey(text: string): string {
  const lines = text.trim().split(/\r?\n/);
  const key =
    lines.length === 1 ? lines[0]! : lines.length === 3 && lines[0]!.trim() === HEAD ? keyOf(lines) : '';
  if (/^[0-9a-f]{64}$/i.test(key)) return key.toLowerCase();
  throw new InputError(
    'network_key_invalid',
    `This is no key of a private network: three lines are expected (${HEAD}, /base16/, 64 hex digits), or the 64 digits alone. \`kith network create\` makes one.`,
  );
}

function keyOf(lines: readonly string[]): string {
  return lines[1]!.trim() === '/base16/' ? lines[2]!.trim() : '';
}

/** Names a key without giving it away: 16 hex digits of a SHA-256. Members compare it. */
export function networkName(key: string): string {
  return createHash('sha256')
    .update('kith-network-v1\0')
    .update(Buffer.from(key, 'hex'))
    .digest('hex')
    .slice(0, 16);
}

/** The key of the file at `path`. Throws InputError `network_key_invalid`, `file_not_found`, `file_unreadable`. */
export async function readNetworkKey(path: string): Promise<string> {
  return parseNetworkKey(Buffer.from(await readFileBounded(path, MAX_BYTES)).toString('latin1'));
}

/** Writes the file for its owner alone. Throws KithError `network_exists` (409) when there is one, `write_failed`. */
export async function writeNetworkKey(path: string, key: string): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(networkKeyText(key));
      await file.sync();
    } catch (error) {
      // Half a key would stand in the way of the next try.
      await unlink(path).catch(() => {});
      throw error;
    } finally {
      await file.close();
    }
    await syncFolder(folder);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw writeError(path, error);
    throw new KithError(
      'network_exists',
      `${path} holds the key of a private network already. Keep a copy if it is still needed, and remove it: kith network leave --forget`,
      { status: 409 },
    );
  }
}

import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { createSeededRandom, isKithError } from '../base/index.ts';
import {
  networkKeyPath,
  networkKeyText,
  networkName,
  newNetworkKey,
  parseNetworkKey,
  readNetworkKey,
  writeNetworkKey,
} from './swarm-psk.ts';

const home = await mkdtemp(join(tmpdir(), 'kith-psk-'));
after(() => rm(home, { recursive: true, force: true }));

const key = newNetworkKey(createSeededRandom(7));
const hasCode = (code: string) => (error: unknown) => isKithError(error) && error.code === code;

test('a key is 64 hex digits, in the file that other libp2p programs read or alone', () => {
  assert.match(key, /^[0-9a-f]{64}$/);
  const text = networkKeyText(key);
  assert.equal(text, `/key/swarm/psk/1.0.0/\n/base16/\n${key}\n`);
  for (const form of [text, text.replaceAll('\n', '\r\n'), key, ` ${key.toUpperCase()}\n`])
    assert.equal(parseNetworkKey(form), key);
});

test('what is no key is refused, and not shown', () => {
  const bad = [
    '',
    key.slice(1),
    `${key}0`,
    `${key}\n${key}`,
    networkKeyText(key).replace('base16', 'base64'),
    networkKeyText(key).replace('1.0.0', '2.0.0'),
    networkKeyText(`${key.slice(1)}g`),
  ];
  for (const text of bad)
    assert.throws(
      () => parseNetworkKey(text),
      (error: unknown) =>
        hasCode('network_key_invalid')(error) && !(error as Error).message.includes(key.slice(2, 20)),
    );
});

test('the name of a network tells networks apart and not its key', () => {
  assert.match(networkName(key), /^[0-9a-f]{16}$/);
  assert.notEqual(networkName(key), networkName(newNetworkKey(createSeededRandom(8))));
  assert.ok(!key.includes(networkName(key)));
});

test('the key file is for its owner alone, and never replaces another', async () => {
  const path = networkKeyPath(home);
  await writeNetworkKey(path, key);
  assert.equal(await readNetworkKey(path), key);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal((await stat(dirname(path))).mode & 0o777, 0o700);
  await assert.rejects(writeNetworkKey(path, 'a'.repeat(64)), hasCode('network_exists'));
  assert.equal(await readNetworkKey(path), key);
});

test('a file that is too large or absent is refused', async () => {
  const path = join(home, 'large');
  await writeFile(path, 'a'.repeat(5000));
  await assert.rejects(readNetworkKey(path), hasCode('limit_reached'));
  await assert.rejects(readNetworkKey(join(home, 'none')), hasCode('file_not_found'));
});

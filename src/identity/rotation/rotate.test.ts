import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { createManualClock, systemRandom } from '../../base/index.ts';
import { identityFolder, keyFilePath } from '../key/folder.ts';
import { writeKeyFile } from '../key/key-file.ts';
import { didOf } from '../key/names.ts';
import { publicKeyOfSeed } from '../key/sign.ts';
import { createKey, readKey } from '../key/store.ts';
import { openIdentity } from '../open.ts';
import { parseHandOvers, readHandOvers, rotateKey, writeHandOverList } from './rotate.ts';
import { readHandOver } from './statement.ts';
import { requireChain } from './succession.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'kith-rotate-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const clock = createManualClock(Date.UTC(2026, 10, 21));
const nobody = async () => null;
const open = () => openIdentity({ home, random: systemRandom, passphrase: nobody });
const rotate = () => rotateKey(home, { clock, random: systemRandom, passphrase: nobody });
const inFolder = (...parts: string[]) => join(identityFolder(home), ...parts);

test('a rotation gives a new key, a statement that others can check, and keeps the old key', async () => {
  const { identity: old } = await open();
  const before = await readFile(keyFilePath(home));
  const { handOver, retired, isProtected } = await rotate();
  const { identity: next, isNew } = await open();
  assert.equal(isNew, false);
  assert.equal(isProtected, false);
  assert.deepEqual(readHandOver(handOver.bytes, clock.now()), {
    from: old.did,
    to: next.did,
    at: clock.now(),
    bytes: handOver.bytes,
  });
  assert.equal(retired, inFolder('retired', `${old.peerId}.json`));
  assert.deepEqual(await readFile(retired), before);
  assert.deepEqual(await readHandOvers(home), [handOver]);
  assert.deepEqual(
    (await readdir(identityFolder(home))).filter((name) => /tmp|next/.test(name)),
    [],
  );
  if (process.platform !== 'win32') assert.equal((await stat(keyFilePath(home))).mode & 0o777, 0o600);
});

test('rotations after one another make a chain, also when the clock was set back', async () => {
  const { identity: first } = await open();
  const later = createManualClock(clock.now() + 1_000_000);
  await rotateKey(home, { clock: later, random: systemRandom, passphrase: nobody });
  await rotate();
  await rotate();
  const chain = await readHandOvers(home);
  assert.equal(chain.length, 3);
  const { identity: last } = await open();
  assert.deepEqual(requireChain(chain), { first: first.did, last: last.did });
  assert.deepEqual(
    parseHandOvers(new TextEncoder().encode(writeHandOverList(chain)), later.now(), 'x'),
    chain,
  );
});

test('a protected key is followed by one under the same passphrase', async () => {
  await createKey(home, { random: systemRandom, passphrase: 'tall blue boats', anew: false });
  await assert.rejects(rotate(), { code: 'passphrase_missing' });
  const passphrase = async () => 'tall blue boats';
  const { handOver, isProtected } = await rotateKey(home, { clock, random: systemRandom, passphrase });
  assert.equal(isProtected, true);
  assert.equal((await readKey(home))?.isProtected, true);
  const { identity } = await openIdentity({ home, random: systemRandom, passphrase });
  assert.equal(identity.did, handOver.to);
});

test('a key that was put back after its rotation does not name a second successor', async () => {
  await open();
  const { retired } = await rotate();
  await writeFile(keyFilePath(home), await readFile(retired));
  await assert.rejects(rotate(), { code: 'rotation_conflict' });
  assert.equal((await readHandOvers(home)).length, 1);
});

test('a home without a key has none to rotate', async () => {
  await assert.rejects(rotate(), { code: 'identity_missing' });
});

/** The folder as a crash leaves it after each step: the new key beside the old one, then the statement, not yet in place. */
async function crashed(withStatement: boolean) {
  const { identity: old } = await open();
  const oldKey = await readFile(keyFilePath(home));
  const { handOver } = await rotate();
  await rename(keyFilePath(home), inFolder('key-next.json'));
  await writeFile(keyFilePath(home), oldKey, { mode: 0o600 });
  if (!withStatement) await rm(inFolder('hand-overs.json'));
  return { old, handOver };
}

test('a crash after the statement is finished at the next opening', async () => {
  const { old, handOver } = await crashed(true);
  const { identity } = await open();
  assert.notEqual(identity.did, old.did);
  assert.equal(identity.did, handOver.to);
  await assert.rejects(stat(inFolder('key-next.json')), { code: 'ENOENT' });
  assert.equal(await readFile(inFolder('peer-id'), 'utf8'), `${identity.peerId}\n`);
});

test('a crash after the statement is finished by the next rotation too', async () => {
  const { handOver } = await crashed(true);
  const { handOver: second } = await rotate();
  assert.equal(second.from, handOver.to);
});

test('a crash before the statement leaves the old key in force, and the next rotation takes a new one', async () => {
  const { old, handOver } = await crashed(false);
  assert.equal((await open()).identity.did, old.did);
  const { handOver: second } = await rotate();
  assert.equal(second.from, old.did);
  assert.notEqual(second.to, handOver.to);
  assert.deepEqual(await readHandOvers(home), [second]);
});

test('a stray new key that nobody named is not put in place', async () => {
  const { identity } = await open();
  const seed = systemRandom.bytes(32);
  await writeFile(inFolder('key-next.json'), await writeKeyFile(seed, null, systemRandom), { mode: 0o600 });
  assert.equal((await open()).identity.did, identity.did);
  assert.notEqual(identity.did, didOf(publicKeyOfSeed(seed)));
});

test('damaged hand-overs stop a rotation and are left as they are', async () => {
  const { identity } = await open();
  for (const text of ['', '[', '{}', '[1]', '["{}"]', 'null']) {
    await writeFile(inFolder('hand-overs.json'), text);
    await assert.rejects(rotate(), { code: 'rotation_invalid' }, text);
    assert.equal(await readFile(inFolder('hand-overs.json'), 'utf8'), text);
    assert.equal((await open()).identity.did, identity.did);
  }
});

test('one statement in a file of its own is read, with or without a line break at its end', async () => {
  await open();
  const { handOver } = await rotate();
  for (const end of ['', '\n', '\r\n']) {
    const bytes = Buffer.concat([handOver.bytes, Buffer.from(end)]);
    assert.deepEqual(parseHandOvers(bytes, clock.now(), 'x'), [handOver]);
  }
});

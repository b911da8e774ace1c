import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { watch } from 'node:fs';
import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { createSeededRandom, systemRandom } from '../../base/index.ts';
import { identityFolder, keyFilePath, lockKey } from './folder.ts';
import { writeKeyFile } from './key-file.ts';
import { passphraseFrom, readPassphraseFile } from './passphrase.ts';
import { createKey, openKey, readKey, replaceKey, requireKey, retireKey } from './store.ts';

let home: string;
beforeEach(async () => {
  home = join(await mkdtemp(join(tmpdir(), 'kith-key-')), 'home');
});
afterEach(() => rm(join(home, '..'), { recursive: true, force: true }));

const nobody = async () => null;
const open = (random = systemRandom) => openKey({ home, random, passphrase: nobody });
const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
const posix = process.platform === 'win32' ? 'Windows has no such modes' : false;

test('the first start makes a key that nobody else can read, and later ones find it', async () => {
  const first = await open();
  assert.equal(first.isNew, true);
  assert.equal(first.isProtected, false);
  assert.equal(first.path, keyFilePath(home));
  const again = await open();
  assert.equal(again.isNew, false);
  assert.equal(again.identity.peerId, first.identity.peerId);
  assert.deepEqual(again.identity.networkSeed(), first.identity.networkSeed());
  assert.deepEqual(
    (await readdir(identityFolder(home))).filter((name) => name.endsWith('.tmp')),
    [],
  );
  assert.equal(await readFile(join(identityFolder(home), 'peer-id'), 'utf8'), `${first.identity.peerId}\n`);
});

test('folder and files are closed to others, whatever the umask', { skip: posix }, async () => {
  const umask = process.umask(0);
  try {
    const { path } = await open();
    assert.equal(await modeOf(path), '600');
    assert.equal(await modeOf(identityFolder(home)), '700');
    const retired = await retireKey(identityFolder(home));
    assert.equal(await modeOf(retired), '600');
    assert.equal(await modeOf(join(identityFolder(home), 'retired')), '700');
  } finally {
    process.umask(umask);
  }
});

test('the key comes from the given randomness', async () => {
  const { identity } = await open(createSeededRandom(3));
  assert.deepEqual(identity.networkSeed(), createSeededRandom(3).bytes(32));
});

test('a key or folder that others may look into is refused with the remedy', { skip: posix }, async () => {
  const { path } = await open();
  for (const mode of [0o640, 0o604, 0o620, 0o601, 0o777]) {
    await chmod(path, mode);
    await assert.rejects(open(), { code: 'key_file_exposed', message: new RegExp(`chmod 600 ${path}`) });
  }
  await chmod(path, 0o400);
  await open();
  await chmod(identityFolder(home), 0o750);
  await assert.rejects(open(), { code: 'key_file_exposed', message: /chmod 700/ });
  await assert.rejects(readKey(home), { code: 'key_file_exposed' });
});

test('a folder that is open before there is a key gets none', { skip: posix }, async () => {
  await mkdir(identityFolder(home), { recursive: true });
  await chmod(identityFolder(home), 0o755);
  await assert.rejects(open(), { code: 'key_file_exposed' });
  assert.deepEqual(await readdir(identityFolder(home)), []);
});

test('damage is an error and changes nothing, never another identity', async () => {
  const { path } = await open();
  const whole = await readFile(path);
  for (const bytes of [
    whole.subarray(0, 0),
    whole.subarray(0, 40),
    whole.subarray(0, -8),
    Buffer.alloc(whole.length),
  ]) {
    await writeFile(path, bytes);
    await assert.rejects(open(), { code: 'key_file_damaged' });
    assert.deepEqual(await readFile(path), bytes);
  }
  await writeFile(path, Buffer.alloc(100_000, 0x20));
  await assert.rejects(open(), { code: 'limit_reached' });
});

test('a key that cannot be read is an error, not an absent one', { skip: posix }, async () => {
  const { path } = await open();
  await rm(path);
  await mkdir(path, { mode: 0o700 });
  await assert.rejects(open(), { code: 'key_file_unreadable' });
  await rm(path, { recursive: true });
  await symlink(join(home, 'unmounted', 'key.json'), path);
  await assert.rejects(open(), { code: 'key_file_unreadable' });
});

test('a lost key is an error, and starting over has to be said', async () => {
  const { path, identity } = await open();
  await rm(path);
  await assert.rejects(open(), { code: 'identity_lost', message: new RegExp(identity.peerId) });
  await assert.rejects(requireKey(home), { code: 'identity_missing' });
  assert.equal(await createKey(home, { random: systemRandom, passphrase: null, anew: true }), true);
  const other = await open();
  assert.notEqual(other.identity.peerId, identity.peerId);
});

test('a home without a key says so and is not touched by a look', async () => {
  assert.equal(await readKey(home), null);
  await assert.rejects(requireKey(home), { code: 'identity_missing', status: 404 });
  await assert.rejects(stat(home), { code: 'ENOENT' });
});

test('making a key where one is changes nothing', async () => {
  const { identity } = await open();
  assert.equal(await createKey(home, { random: systemRandom, passphrase: null, anew: true }), false);
  assert.equal((await open()).identity.peerId, identity.peerId);
});

test('a protected key opens with its passphrase and is refused without', async () => {
  await createKey(home, { random: systemRandom, passphrase: 'correct horse', anew: false });
  await assert.rejects(open(), { code: 'passphrase_missing', message: /--passphrase-file/ });
  const file = join(home, 'passphrase');
  await writeFile(file, 'correct horse\n');
  const passphrase = passphraseFrom({ file, credentials: undefined });
  const { identity, isProtected } = await openKey({ home, random: systemRandom, passphrase });
  assert.equal(isProtected, true);
  assert.equal(identity.peerId, (await requireKey(home)).peerId);
});

test('programs that start at once on an empty home make one key', async () => {
  const told = await Promise.all([opener(), opener(), opener()].map(({ told }) => told));
  assert.equal(new Set(told.map(({ peerId }) => peerId)).size, 1, JSON.stringify(told));
  assert.equal(told.filter(({ isNew }) => isNew).length, 1);
  assert.equal((await open()).identity.peerId, told[0]!.peerId);
});

test('a program that is killed while it makes the key leaves a whole one or none', async () => {
  for (let round = 0; round < 2; round++) {
    await rm(home, { recursive: true, force: true });
    await mkdir(identityFolder(home), { recursive: true, mode: 0o700 });
    const child = opener();
    // Killed at the first trace of a key: between the temporary file and the last step.
    const watcher = watch(identityFolder(home), (_, name) => {
      if (name?.startsWith('.key.json')) child.kill();
    });
    await child.told.catch(() => undefined).finally(() => watcher.close());
    const { identity } = await open();
    assert.equal((await open()).identity.peerId, identity.peerId);
    assert.equal((await requireKey(home)).peerId, identity.peerId);
  }
});

test('what a killed program left behind is removed by the next change', async () => {
  const folder = identityFolder(home);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, '.key.json.0123456789ab.tmp'), '{"v":1,', { mode: 0o600 });
  await open();
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

test('a link that is left from a killed write does not count as a second key', async () => {
  const { path } = await open();
  await link(path, join(identityFolder(home), '.key.json.0123456789ab.tmp'));
  assert.equal((await open()).isNew, false);
});

test('a replaced key is kept, once for each content', async () => {
  const { identity } = await open();
  const folder = identityFolder(home);
  const before = await readFile(keyFilePath(home));
  const first = await retireKey(folder);
  assert.equal(first, join(folder, 'retired', `${identity.peerId}.json`));
  assert.equal(await retireKey(folder), first);
  await replaceKey(folder, await writeKeyFile(systemRandom.bytes(32), null, systemRandom));
  assert.deepEqual(await readFile(first), before);
  const other = await open();
  assert.notEqual(other.identity.peerId, identity.peerId);
  assert.equal(await readFile(join(folder, 'peer-id'), 'utf8'), `${other.identity.peerId}\n`);
  // The first key with other bytes is no reason to overwrite what is kept of it.
  await replaceKey(folder, Buffer.concat([before, Buffer.from('\n')]));
  assert.equal(await retireKey(folder), join(folder, 'retired', `${identity.peerId}-2.json`));
  await writeFile(keyFilePath(home), 'damaged');
  assert.equal(await retireKey(folder), join(folder, 'retired', 'damaged.json'));
});

test('the lock keeps a second change out, and goes with its holder', async () => {
  const { path } = await open();
  {
    await using _lock = await lockKey(identityFolder(home), 'a test');
    // Opening is no change and waits for nobody.
    await open();
  }
  await using _again = await lockKey(identityFolder(home), 'a test');
  assert.ok((await stat(path)).size > 0);
});

test('passphrases are one line of text from a file or a credential, in that order', async () => {
  await mkdir(home, { recursive: true });
  const file = join(home, 'passphrase');
  const write = (content: string | Uint8Array) => writeFile(file, content);
  for (const [content, wanted] of [
    ['ten words', 'ten words'],
    ['ten words\n', 'ten words'],
    ['ten words\r\n', 'ten words'],
    [' ten words ', ' ten words '],
    ['zwölf', 'zwölf'],
  ] as const) {
    await write(content);
    assert.equal(await readPassphraseFile(file), wanted);
  }
  for (const content of [
    '',
    '\n',
    'a\nb\n',
    'a\0b',
    Uint8Array.of(0xff, 0xfe),
    'x'.repeat(1025),
    'x'.repeat(9999),
  ]) {
    await write(content);
    await assert.rejects(readPassphraseFile(file), { code: 'passphrase_invalid' });
  }
  await assert.rejects(readPassphraseFile(join(home, 'none')), { code: 'passphrase_invalid' });

  await write('from the file');
  await writeFile(join(home, 'kith-passphrase'), 'from the manager');
  const ask = async () => 'from the terminal';
  assert.equal(await passphraseFrom({ file, credentials: home, ask })(), 'from the file');
  assert.equal(await passphraseFrom({ file: '', credentials: home, ask })(), 'from the manager');
  assert.equal(await passphraseFrom({ file: '', credentials: join(home, 'x'), ask })(), 'from the terminal');
  assert.equal(await passphraseFrom({ file: '', credentials: undefined })(), null);
});

/** A process of its own that opens the identity of the home. */
function opener() {
  const store = JSON.stringify(join(import.meta.dirname, 'store.ts'));
  const base = JSON.stringify(join(import.meta.dirname, '..', '..', 'base', 'index.ts'));
  const code = `
    import { openKey } from ${store};
    import { systemRandom } from ${base};
    const { identity, isNew } = await openKey(
      { home: ${JSON.stringify(home)}, random: systemRandom, passphrase: async () => null });
    console.log(JSON.stringify({ peerId: identity.peerId, isNew }));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  const told = new Promise<{ peerId: string; isNew: boolean }>((resolve, reject) => {
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(out));
      else reject(new Error(`It ended with ${code}.`));
    });
  });
  return { told, kill: () => child.kill('SIGKILL') };
}

/** The node's key as a user handles it: real processes, real homes, a real node. */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { silentLogger, systemRandom } from '../src/base/index.ts';
import { createKey, didOfPeerId, keyFilePath, protectKey, requireKey } from '../src/identity/index.ts';
import { createNode } from '../src/node/index.ts';
import { kith, kithProcess, stopAll } from './cli-support.ts';
import { configOf, createHome, startNode, type TestHome } from './node-support.ts';

let folder: string;
let home: TestHome;
const inFolder = (...parts: string[]) => join(folder, ...parts);
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kith-identity-'));
  await writeFile(inFolder('passphrase'), 'nice red boats\n', { mode: 0o600 });
  await writeFile(inFolder('wrong'), 'nice red goats\n', { mode: 0o600 });
  home = await createHome();
});
after(async () => {
  stopAll();
  await home.remove();
  await rm(folder, { recursive: true, force: true });
});

const identity = (...args: string[]) => kith(['identity', ...args]);
/** In a process of its own: what it changes, the next finds on the disk only. */
const identityProcess = (...args: string[]) => kithProcess(['identity', ...args]);
/** A home with a new key; its path and the PeerId. */
async function newHome(name: string): Promise<readonly [string, string]> {
  const path = inFolder(name);
  await createKey(path, { random: systemRandom, passphrase: null, anew: false });
  return [path, (await requireKey(path)).peerId];
}
const peerIdOf = async (path: string) => (await requireKey(path)).peerId;

test('a key is made, shown, exported to a file that only its owner reads, and imported', async () => {
  const path = inFolder('first');
  const none = await identity('show', '--home', path);
  assert.equal(none.code, 1);
  assert.match(none.err, /no key in .* yet.*kith identity create/);
  assert.equal((await identityProcess('create', '--home', path)).code, 0);
  const peerId = await peerIdOf(path);
  const about = JSON.parse((await identity('show', '--home', path, '--json')).out);
  assert.deepEqual(about, {
    peer_id: peerId,
    did: didOfPeerId(peerId),
    did_peer: didOfPeerId(peerId).replace('did:key:', 'did:peer:0'),
    peer_id_cid: about.peer_id_cid,
    public_key: about.public_key,
    protected: false,
    file: keyFilePath(path),
    former: [],
    successor: null,
  });
  const file = inFolder('key.libp2p');
  const exporting = ['export', '--home', path, '-f', 'libp2p', '-o', file] as const;
  assert.equal((await identityProcess(...exporting)).code, 0);
  if (process.platform !== 'win32') assert.equal((await stat(file)).mode & 0o777, 0o600);
  const again = await identity(...exporting);
  assert.equal(again.code, 1);
  assert.match(again.err, /exists already/);
  const imported = await identity('import', file, '--home', inFolder('second'), '--json');
  assert.equal(JSON.parse(imported.out).peer_id, peerId);
});

test('a private key is never printed without being asked for, a DID document is', async () => {
  const [path, peerId] = await newHome('printing');
  const bare = await identity('export', '--home', path);
  assert.deepEqual([bare.code, bare.out], [2, '']);
  const document = JSON.parse((await identity('export', '--home', path, '-f', 'did-document')).out);
  assert.equal(document.id, didOfPeerId(peerId));
  const printed = await identity('export', '--home', path, '-f', 'libp2p', '--stdout');
  assert.equal(Buffer.from(printed.out, 'base64').length, 68);
});

test('an import takes the place of a key only when it is told to, and keeps the former one', async () => {
  const [[path, mine], [other, theirs]] = await Promise.all([newHome('owner'), newHome('other')]);
  const refused = await identity('import', keyFilePath(other), '--home', path);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /--replace/);
  assert.equal(await peerIdOf(path), mine);
  const replaced = await identityProcess('import', keyFilePath(other), '--home', path, '--replace', '--json');
  const { peer_id, retired } = JSON.parse(replaced.out);
  assert.equal(peer_id, theirs);
  assert.equal(JSON.parse(await readFile(retired, 'utf8')).peerId, mine);

  const wrong = await identity('import', inFolder('passphrase'), '--home', path, '--replace');
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /no Ed25519 private key/);
  assert.equal(await peerIdOf(path), theirs);
});

test('a passphrase is put on, needed, and taken off', async () => {
  const [path, peerId] = await newHome('sealed');
  const at = ['--home', path];
  const by = (name: string) => ['--passphrase-file', inFolder(name)];
  assert.equal((await identity('encrypt', ...at)).code, 2, 'there is nobody to ask');
  assert.equal((await identityProcess('encrypt', ...at, ...by('passphrase'))).code, 0);
  assert.equal('seed' in JSON.parse(await readFile(keyFilePath(path), 'utf8')), false);
  const without = await identity('export', ...at, '-f', 'jwk', '--stdout');
  assert.equal(without.code, 1);
  assert.match(without.err, /passphrase/);
  const wrong = await identity('decrypt', ...at, ...by('wrong'));
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /does not open the key/);
  const opened = await kith(['identity', 'decrypt', ...at, '--passphrase-fd', '0'], 'nice red boats\n');
  assert.equal(opened.code, 0, opened.err);
  const file = await requireKey(path);
  assert.deepEqual([file.peerId, file.isProtected], [peerId, false]);
});

test('a rotation leaves a chain that others can check, and a second successor is told apart', async () => {
  const [path, peerId] = await newHome('rotated');
  const at = ['--home', path];
  const { from, to: second, retired } = JSON.parse((await identityProcess('rotate', ...at, '--json')).out);
  assert.equal(from, didOfPeerId(peerId));
  assert.equal(second, didOfPeerId(await peerIdOf(path)));
  const chain = inFolder('chain.json');
  assert.equal((await identity('history', ...at, '-o', chain)).code, 0);
  const checked = await identity('history', chain, '--json');
  assert.equal(checked.code, 0);
  const { first, last } = JSON.parse(checked.out);
  assert.deepEqual([first, last], [from, second]);

  // The first key again, in another home that knows nothing of its successor.
  const copy = inFolder('copy');
  await identity('import', retired, '--home', copy);
  await identity('rotate', '--home', copy);
  const forked = await identity('history', chain, inFolder('copy', 'identity', 'hand-overs.json'), '--json');
  assert.equal(forked.code, 3);
  assert.deepEqual(
    JSON.parse(forked.out).conflicts.map((each: { from: string }) => each.from),
    [from],
  );
  await writeFile(inFolder('forged.json'), (await readFile(chain, 'utf8')).replace(second, from));
  assert.equal((await identity('history', inFolder('forged.json'))).code, 2);
});

test('a node has an identity from its first start, tells it, and keeps it while it runs', async () => {
  await using node = await startNode(home);
  const { identity: told } = await node.status();
  const peerId = await peerIdOf(home.path);
  assert.deepEqual(told, { peerId, did: didOfPeerId(peerId), protected: false });
  const status = await kith(['status', '--home', home.path]);
  assert.match(status.out, new RegExp(`peer +${told.peerId}\n +DID +${told.did}`));
  const refused = await identity('rotate', '--home', home.path);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /Stop it first/);
  assert.equal(await peerIdOf(home.path), peerId);
});

test('a node does not start without its key: no passphrase, a wrong one, an open file, a damaged one', async () => {
  const start = (flags: Record<string, unknown> = {}) =>
    createNode({ config: configOf(home, flags), log: silentLogger, version: '0.0.0-test' });
  const before = await peerIdOf(home.path);
  const passphrase = async () => null;
  await protectKey(home.path, { random: systemRandom, passphrase, protectWith: 'nice red boats' });
  await assert.rejects(start(), { code: 'passphrase_missing', message: /identity\.passphraseFile/ });
  await assert.rejects(start({ 'identity.passphraseFile': inFolder('wrong') }), { code: 'passphrase_wrong' });
  {
    await using node = await start({ 'identity.passphraseFile': inFolder('passphrase') });
    const { identity: told } = await node.status();
    assert.deepEqual([told.peerId, told.protected], [before, true]);
  }
  const file = keyFilePath(home.path);
  const whole = await readFile(file);
  if (process.platform !== 'win32') {
    await chmod(file, 0o644);
    await assert.rejects(start(), { code: 'key_file_exposed', message: /chmod 600/ });
    await chmod(file, 0o600);
  }
  await writeFile(file, whole.subarray(0, 100));
  await assert.rejects(start(), { code: 'key_file_damaged' });
  await writeFile(file, whole);
});

test('a node in the background gets the passphrase from the command that starts it', async () => {
  const at = ['--home', home.path];
  const started = await kith(['start', ...at, '--daemon', '--passphrase-fd', '0'], 'nice red boats\n');
  assert.equal(started.code, 0, started.err);
  assert.equal((await kith(['stop', ...at])).code, 0);
});

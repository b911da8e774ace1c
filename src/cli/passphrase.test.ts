import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, test } from 'node:test';
import { resolveConfig } from '../base/index.ts';
import { askPassphrase, newPassphrase, oldPassphrase, promptSecret, type SecretInput } from './passphrase.ts';

let folder: string;
let file: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kith-passphrase-'));
  file = join(folder, 'passphrase');
  await writeFile(file, 'three old boats\n');
});
after(() => rm(folder, { recursive: true, force: true }));

const configOf = (flags: object = {}) =>
  resolveConfig({ home: folder, flags: flags as Record<string, unknown>, env: {} }).config;

/** A terminal that types these pieces. */
function terminal(...pieces: string[]) {
  const raw: boolean[] = [];
  const input = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode(on: boolean) {
      raw.push(on);
    },
  }) as SecretInput & PassThrough;
  for (const piece of pieces) input.write(piece);
  let shown = '';
  const output = {
    write(text: string) {
      assert.equal(raw.length > 0, true, 'the terminal is silent before it is asked');
      shown += text;
    },
  };
  return { ask: () => promptSecret('Passphrase: ', input, output), raw, shown: () => shown };
}

test('what is typed comes back and is not shown', async () => {
  const { ask, raw, shown } = terminal('three ', 'blue b', 'oats\r');
  assert.equal(await ask(), 'three blue boats');
  assert.equal(shown(), 'Passphrase: \n');
  assert.deepEqual(raw, [true, false]);
});

test('backspace takes one character back, Ctrl-U all of them, other keys nothing', async () => {
  assert.equal(await terminal('abcd\u007f\be\n').ask(), 'abe');
  assert.equal(await terminal('wrong\u0015right\n').ask(), 'right');
  assert.equal(await terminal('a\u0001b\tc\n').ask(), 'abc');
  assert.equal(await terminal('zw\u00f6lf\u007f\u007f\n').ask(), 'zw\u00f6');
});

test('Ctrl-C and Ctrl-D stop the command and give the terminal back', async () => {
  for (const key of ['\u0003', '\u0004']) {
    const { ask, raw } = terminal(`half${key}`);
    await assert.rejects(ask(), { code: 'aborted' });
    assert.deepEqual(raw, [true, false]);
  }
});

test('where no terminal is, nobody is asked', async () => {
  assert.equal(await promptSecret('Passphrase: ', new PassThrough() as SecretInput), null);
});

test('a descriptor goes before a file, and is read once', async () => {
  const other = join(folder, 'other');
  await writeFile(other, 'four new boats\nand more\n');
  const passphraseFd = openSync(other, 'r');
  try {
    const ask = askPassphrase({ passphraseFd }, configOf({ 'identity.passphraseFile': file }));
    assert.equal(await ask(), 'four new boats');
    assert.equal(await ask(), 'four new boats');
  } finally {
    closeSync(passphraseFd);
  }
});

test('the configured file says the passphrase, old and new', async () => {
  const config = configOf({ 'identity.passphraseFile': file });
  assert.equal(await askPassphrase({}, config)(), 'three old boats');
  assert.equal(await newPassphrase({}, config), 'three old boats');
  assert.equal(await oldPassphrase({ oldPassphraseFile: file })(), 'three old boats');
});

test('a descriptor that is not open, or a file that is not there, is named', async () => {
  await assert.rejects(askPassphrase({ passphraseFd: 987 }, configOf())(), {
    code: 'passphrase_invalid',
    message: /descriptor 987/,
  });
  const gone = join(folder, 'gone');
  await assert.rejects(askPassphrase({}, configOf({ 'identity.passphraseFile': gone }))(), {
    code: 'passphrase_invalid',
    message: new RegExp(gone),
  });
});

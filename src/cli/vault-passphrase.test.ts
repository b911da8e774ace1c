import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { UsageError } from './failure.ts';
import { vaultPassphrase } from './vault-passphrase.ts';

const WORDS = 'seven grey herons over the mill';

/** A terminal at which that is typed. */
function typing(...answers: readonly (string | null)[]) {
  const asked: string[] = [];
  const ask = async (label: string) => {
    asked.push(label);
    return answers[asked.length - 1] ?? null;
  };
  return { asked, ask };
}

test('a new passphrase is asked for twice, one that is known once, and none where none was asked for', async () => {
  const first = typing(WORDS, WORDS);
  assert.deepEqual(await vaultPassphrase({ passphrase: true }, 'new', first.ask), { passphrase: WORDS });
  assert.equal(first.asked.length, 2);
  const known = typing(WORDS);
  assert.deepEqual(await vaultPassphrase({ passphrase: true }, 'known', known.ask), { passphrase: WORDS });
  assert.equal(known.asked.length, 1);
  const none = typing(WORDS);
  assert.deepEqual(await vaultPassphrase({}, 'new', none.ask), {});
  assert.deepEqual(none.asked, []);
});

test('two that differ, a short one and a missing terminal are refused, and what was typed is not shown', async () => {
  const refused = (answers: readonly (string | null)[], expected: object) =>
    assert.rejects(vaultPassphrase({ passphrase: true }, 'new', typing(...answers).ask), expected);
  await refused([WORDS, `${WORDS}!`], { code: 'vault_passphrase', message: /differ/ });
  await refused(
    ['heron'],
    (error: Error) => /12 to 1024/.test(error.message) && !error.message.includes('heron'),
  );
  await refused(
    [null],
    (error: Error) => error instanceof UsageError && /--passphrase-file/.test(error.message),
  );
});

test('a file gives it, and not together with the terminal', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kith-passphrase-'));
  try {
    const passphraseFile = join(folder, 'words');
    await writeFile(passphraseFile, `${WORDS}\n`, { mode: 0o600 });
    const { ask, asked } = typing(WORDS, WORDS);
    assert.deepEqual(await vaultPassphrase({ passphraseFile }, 'new', ask), { passphrase: WORDS });
    assert.deepEqual(asked, []);
    await assert.rejects(vaultPassphrase({ passphraseFile, passphrase: true }, 'new', ask), UsageError);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

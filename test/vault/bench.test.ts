/** The bench of the vault puts all modes side by side, with bytes, recall, and who learns what. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { BenchRow, KnownPairsRow } from '../../src/node/index.ts';
import { REVIEW_WARNING, VAULT_MODES, WEAK_WARNING } from '../../src/vault/index.ts';
import { kith, stopAll } from '../cli-support.ts';

const SMALL = ['--vectors', '1000', '--dimensions', '192', '--queries', '3', '--rtt', '0'];

after(stopAll);

test('every mode has a row with its bytes and recall, and says who learns what', async () => {
  const { code, out, err } = await kith(['vpk', 'bench', ...SMALL, '--eves', '1,2', '--json']);
  assert.equal(code, 0, err);
  const { rows, pairs, learns, warnings } = JSON.parse(out) as {
    rows: BenchRow[];
    pairs: KnownPairsRow[];
    learns: Record<string, string>[];
    warnings: string[];
  };
  const lazily = 'sealed, read lazily';
  assert.deepEqual(
    rows.map(({ mode, eves }) => [mode, eves]),
    [
      ['plain', 0],
      ...[1, 2].flatMap((eves) =>
        ['sealed', lazily, 'split', 'perturbed']
          .filter((mode) => eves > 1 || mode !== 'split')
          .map((mode) => [mode, eves]),
      ),
    ],
  );
  for (const { mode, eves, up, down, uploadMs, recall, first } of rows) {
    assert.ok(recall >= 0.9 && recall <= 1 && Number(uploadMs) > 0, `${mode}: ${recall}`);
    assert.equal(up === null && down === null, eves === 0, mode);
    if (eves > 0) assert.ok(Number(down) > 0, mode);
    // A question goes up where Eves search, and nothing of it where they do not.
    if (eves > 0) assert.equal(Number(up) > 0, mode === 'split' || mode === 'perturbed', mode);
    assert.equal(first !== undefined && first.down > Number(down), mode === lazily, mode);
  }
  for (const row of learns)
    for (const mode of ['plain', ...VAULT_MODES]) assert.ok((row[mode] ?? '') !== '', `${row.what}: ${mode}`);
  assert.deepEqual(warnings, [REVIEW_WARNING, WEAK_WARNING]);
  assert.ok(pairs.some(({ known, found }) => known === 400 && found > 0.9));
});

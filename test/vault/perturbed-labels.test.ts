/** Wherever the mode of what is placed can show, it is declared that its label and its warning stand beside it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openApiDocument } from '../../src/server/openapi/document.ts';
import { noteOf, VAULT_MODES, WEAK_LABEL, WEAK_WARNING } from '../../src/vault/index.ts';

const root = join(import.meta.dirname, '..', '..');
const source = (path: string) => readFileSync(join(root, path), 'utf8');

test('perturbed is called weak, in the words that were chosen for it', () => {
  assert.deepEqual(noteOf('perturbed'), { label: 'weak', warning: WEAK_WARNING });
  assert.equal(WEAK_LABEL, 'weak');
  assert.match(WEAK_WARNING, /hides text from casual inspection, not from the operator/);
  assert.ok(VAULT_MODES.every((mode) => mode === 'sealed' || noteOf(mode).label !== null));
});

test('every answer of the interface that names the mode has its label and its warning', () => {
  let seen = 0;
  const walk = (value: unknown, where: string): void => {
    if (typeof value !== 'object' || value === null) return;
    const { properties } = value as { properties?: Record<string, { enum?: readonly string[] }> };
    if (properties?.mode?.enum?.includes('perturbed') && !where.includes('requestBody')) {
      seen += 1;
      assert.ok('label' in properties && 'warning' in properties, where);
    }
    for (const [key, one] of Object.entries(value)) walk(one, `${where}/${key}`);
  };
  walk(openApiDocument('1.2.3'), '');
  assert.ok(seen >= 4, `${seen} answers`);
});

test('every type that names the mode has them, too', () => {
  const types = source('src/server/rag/vault-types.ts');
  const views = types.split(/^export interface /mu).filter((text) => /^ {2}readonly mode: /mu.test(text));
  assert.ok(views.length >= 3);
  for (const text of views) {
    const end = text.indexOf('\n}');
    for (const field of ['label', 'warning'])
      assert.match(text.slice(0, end), new RegExp(`^ {2}readonly ${field}: `, 'mu'), text.slice(0, 60));
  }
});

test('the command line prints no mode by itself, and the pages of the browser call it weak', () => {
  for (const file of ['vpk.ts', 'vpk-search.ts', 'vpk-discover.ts', 'vpk-grant.ts', 'vpk-bench.ts']) {
    const text = source(`src/cli/commands/${file}`);
    // A mode in a text, or in a cell of a table.
    for (const bare of [
      /\$\{(?:\w+\.)?mode\}(?!\$\{label| \(\$\{plain\(label|, \$\{count\})/u,
      /\[[\w(), ]*\bmode, String/u,
      /modes\.join/u,
    ])
      assert.doesNotMatch(text, bare, file);
  }
  for (const language of ['en', 'de']) {
    const words = source(`web/src/pages/vault/words-${language}.ts`);
    assert.match(/ {2}modes: \{[^}]*perturbed: '([^']*)'/u.exec(words)?.[1] ?? '', /weak|schwach/u);
  }
});

test('the settings, the help and the guide say it where they name the mode', () => {
  for (const path of ['docs/configuration.md', 'docs/vault.md', 'docs/commands.md', 'ARCHITECTURE.md'])
    for (const part of source(path).split(path.endsWith('vault.md') ? /^## /mu : '\n'))
      if (/`perturbed`|--mode perturbed/u.test(part)) assert.match(part, /\bweak\b/u, `${path}: ${part}`);
});

/** What every source of the page is held to. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { de } from './i18n/de.ts';
import { en } from './i18n/en.ts';
import { de as karte } from './pages/knowledge/graph/words-de.ts';
import { en as map } from './pages/knowledge/graph/words-en.ts';
import { de as verfeinern } from './pages/knowledge/refine/words-de.ts';
import { en as refine } from './pages/knowledge/refine/words-en.ts';
import { de as teilen } from './pages/knowledge/share/words-de.ts';
import { en as share } from './pages/knowledge/share/words-en.ts';
import { de as wissen } from './pages/knowledge/words/de.ts';
import { en as knowledge } from './pages/knowledge/words/en.ts';
import { de as tresor } from './pages/vault/words-de.ts';
import { en as vault } from './pages/vault/words-en.ts';

const sources = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.tsx?$/.test(path) && !path.endsWith('.test.ts'))
  .map((path) => ({ path, text: readFileSync(join(import.meta.dirname, path), 'utf8') }));

const where = (pattern: RegExp) => sources.filter(({ text }) => pattern.test(text)).map(({ path }) => path);

test('no style attribute stands in the sources: the content security policy would block it', () => {
  assert.ok(sources.length > 30);
  assert.deepEqual(where(/\sstyle=/), []);
});

test('no source writes HTML', () => {
  assert.deepEqual(where(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser/i), []);
});

test('no source names another origin to load from', () => {
  assert.deepEqual(where(/(?:fetch|import|EventSource|WebSocket)\(\s*['"`]https?:/), []);
});

type Words = { readonly [key: string]: string | Words };
const flat = (words: Words, path = ''): [string, string][] =>
  Object.entries(words).flatMap(([key, value]) =>
    typeof value === 'string' ? [[`${path}${key}`, value]] : flat(value, `${path}${key}.`),
  );
const places = (text: string) => [...text.matchAll(/\{\{ (\w+) \}\}/g)].map(([, name]) => name!).sort();

/** Each with its translator. */
const dictionaries: readonly (readonly [string, Words, Words])[] = [
  ['t', en, de],
  ['k', knowledge, wissen],
  ['g', map, karte],
  ['r', refine, verfeinern],
  ['s', share, teilen],
  ['v', vault, tresor],
];

test('every sentence is used, and German fills in what English fills in', () => {
  const all = sources.map(({ text }) => text).join('\n');
  for (const [call, english, translated] of dictionaries) {
    const german = new Map(flat(translated));
    const unused: string[] = [];
    for (const [key, sentence] of flat(english)) {
      assert.deepEqual(places(german.get(key)!), places(sentence), key);
      const group = key.slice(0, key.lastIndexOf('.'));
      if (!all.includes(`'${key}'`) && !all.includes(`\`${group}.\${`)) unused.push(`${call}: ${key}`);
    }
    assert.deepEqual(unused, []);
    assert.deepEqual(
      [...german.keys()].sort(),
      flat(english)
        .map(([key]) => key)
        .sort(),
    );
  }
});

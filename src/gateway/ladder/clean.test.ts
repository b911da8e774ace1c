import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { Conversation } from '../privacy/index.ts';
import { cleanLine, cleanUrl } from './clean.ts';
import { FINDING_LIMITS, readFinding, shownFinding } from './finding.ts';
import { readLocale } from './locale.ts';

test('a line is one line of plain text, whatever came', () => {
  assert.equal(cleanLine('a\u0000b\r\n\tc\u2028d', 100), 'a b c d');
  assert.equal(cleanLine('safe\u202egpj.exe\u200b', 100), 'safegpj.exe');
  assert.equal(
    cleanLine('![x](https://evil.example/p.png) [a](javascript:1) <img src=x> `c`', 200),
    "(x)(https://evil.example/p.png) (a)(javascript:1) ‹img src=x› 'c'",
  );
  assert.equal(cleanLine('\ud800x', 10), '\ufffdx');
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.integer({ min: 1, max: 100 }),
      (text, max) => {
        const line = cleanLine(text, max);
        assert.ok(line.length <= max);
        assert.ok(line.isWellFormed());
        assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}<>[\]`]/u);
      },
    ),
  );
});

test('an address is one of a page, without credentials, or none', () => {
  assert.equal(cleanUrl('https://example.org/a?b=c#d'), 'https://example.org/a?b=c#d');
  assert.equal(cleanUrl('https://example.org/a_(b)'), 'https://example.org/a%5F%28b%29');
  for (const bad of [
    'javascript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'ftp://x.org',
    'https://user:pw@x.org/',
    'no address',
    '',
    `https://x.org/${'a'.repeat(3000)}`,
  ]) {
    assert.equal(cleanUrl(bad), null, bad);
  }
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) =>
      assert.doesNotMatch(cleanUrl(`https://x.org/${text}`) ?? '', /[\s<>()[\]`"']/),
    ),
  );
});

test('values come back into a text, never into what could be an address', () => {
  const conversation = new Conversation();
  const hidden = conversation.hide('Who is anna.berg@example.org?');
  assert.match(hidden, /\[EMAIL_1\]/);
  const clean = (text: string) => cleanLine(text, 500, conversation);
  assert.equal(
    clean('About [EMAIL_1]: nothing, ([EMAIL_1]).'),
    'About anna.berg@example.org: nothing, (anna.berg@example.org).',
  );
  for (const trap of [
    'https://evil.example/?q=[EMAIL_1]',
    'evil.example/[EMAIL_1]',
    '[EMAIL_1].evil.example',
    'www.evil.example?[EMAIL_1]',
    '[x](//evil.example/[EMAIL_1])',
    'https://evil.example/?q=EMAIL_1',
    'x=[EMAIL_1]&y',
    'evil。example/[EMAIL_1]',
  ]) {
    assert.ok(!clean(trap).includes('anna'), `${trap} -> ${clean(trap)}`);
  }
});

test('a finding is bounded in every part, and what is none counts as nothing', () => {
  for (const none of [
    null,
    undefined,
    3,
    'text',
    [],
    {},
    { text: '', sources: [] },
    { text: ' \u0000 ', sources: [null, 3, {}] },
    { sources: 'x' },
    { text: null, sources: [{ title: 't', url: 'javascript:1', text: 'x' }] },
  ]) {
    assert.equal(readFinding(none, null), null, JSON.stringify(none));
  }
  const huge = {
    text: 'a'.repeat(1e6),
    sources: Array.from({ length: 1000 }, (_, index) => ({
      title: 't'.repeat(1e4),
      url: `https://x.org/${index}`,
      text: 'p'.repeat(1e5),
    })),
  };
  const found = readFinding(huge, null)!;
  assert.equal(found.sources.length, FINDING_LIMITS.sources);
  assert.ok(shownFinding(found).length < 16_000);
  assert.equal(
    shownFinding({
      text: '1 + 1 = 2',
      sources: [
        { title: 'A', url: 'https://a.org/', text: 'p' },
        { title: '', url: 'https://b.org/', text: '' },
      ],
    }),
    '1 + 1 = 2\n\n1. A\n   https://a.org/\n   p\n\n2. https://b.org/',
  );
});

test('locales are read from anything', () => {
  assert.deepEqual(readLocale('de_AT'), { language: 'de', region: 'AT', tag: 'de-AT' });
  assert.deepEqual(readLocale('ja-JP'), { language: null, region: 'JP', tag: 'ja-JP' });
  assert.deepEqual(readLocale('es-419'), { language: 'es', region: null, tag: 'es-419' });
  for (const bad of [null, '', '*', 'a'.repeat(1000), '../x', '\u0000'])
    assert.deepEqual(readLocale(bad), { language: null, region: null, tag: null });
});

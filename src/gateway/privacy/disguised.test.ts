import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Conversation } from './conversation.ts';
import { isPersonalName } from './detect.ts';

test('values are found through signs and characters that hide them', () => {
  const hide = (text: string) => new Conversation().hide(text);
  const card = '4111 1111 1111 1111';
  for (const sign of ['_', '|', '\n', '.', '/', '\t']) {
    assert.equal(hide(`card ${card.replaceAll(' ', sign)} ok`), 'card [CARD_1] ok', JSON.stringify(sign));
  }
  assert.equal(hide(`no ${[...card.replaceAll(' ', '')].join('.')} ok`), 'no [CARD_1] ok');
  assert.equal(hide('no 4\ufe0f\u20e31\ufe0f\u20e31\ufe0f\u20e31\ufe0f\u20e3 1111 1111 1111'), 'no [CARD_1]');
  assert.equal(hide('id_4111111111111111_a'), 'id_[CARD_1]_a');
  assert.equal(hide(`to anna${'\u200b'.repeat(5000)}@example.org ok`), 'to [EMAIL_1] ok');
  const tags = [...'anna@example.org'].map((sign) => String.fromCodePoint(0xe0000 + sign.charCodeAt(0)));
  assert.equal(hide(`to ${tags.join('')} ok`), 'to [EMAIL_1] ok');
  for (const ip of ['203[.]0[.]113[.]77', '203.0.113[.]77', '203(dot)0(dot)113(dot)77']) {
    assert.equal(hide(`from ${ip} on`), 'from [IP_1] on', ip);
  }
  assert.equal(
    hide('get https://a.org/?a=b&api_key=hunter22#c'),
    'get https://a.org/?a=b&api_key=[SECRET_1]#c',
  );
  assert.equal(hide('get https://a.org/?token=abc.'), 'get https://a.org/?token=[SECRET_1].');
  // A number loses the zero that it begins with.
  assert.equal(new Conversation().hide('78051120', { cue: 'ssn' }), '[ID_1]');
  assert.ok(isPersonalName('pay_4111_1111_1111_1111'));
});

test('what only looks like such a value stays', () => {
  for (const text of [
    '2019\n2020\n2021\n2022',
    '4111\n1111\n1111\n1111\n1111',
    '|4111|1111|1111|1112|',
    'version 1.1.1.1.1.1.1.1.1.1.1.1.1',
    'see [1].[2] and a[0][1]',
    '127[.]0[.]0[.]1',
    'https://a.org/?page=12&sort=name&token=',
    'https://a.org/?token=YOUR_TOKEN and ?api_key=<KEY>',
    '78051120',
    '1\ufe0f\u20e3 first 2\ufe0f\u20e3 second',
  ]) {
    assert.equal(new Conversation().hide(text), text);
  }
  assert.ok(!isPersonalName('get_weather_2024_06_01'));
});

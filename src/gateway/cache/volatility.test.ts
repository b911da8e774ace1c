import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request } from './testing/examples.ts';
import { volatilityOf } from './volatility.ts';

const NOW = Date.UTC(2026, 10, 21, 12);
const of = (content: string, system?: string) =>
  volatilityOf(
    request({
      messages: [
        ...(system === undefined ? [] : [{ role: 'system', content: system }]),
        { role: 'user', content },
      ],
    }),
    NOW,
  );

test('words that point to now make an answer live an hour', () => {
  for (const text of [
    'What is the weather in Rome?',
    'What is the latest version of Node?',
    'Who is president right  now?',
    'What did she say yesterday?',
    'Wie ist das Wetter?',
    'Was gibt es heute?',
    "Que faire aujourd'hui ?",
    '¿Qué hora es ahora?',
    'Cosa succede oggi?',
  ]) {
    assert.equal(of(text), 'hour', text);
  }
});

test('the year and the days around the question do so too, wherever they stand', () => {
  for (const text of [
    'Who won in 2026?',
    'On 21 November?',
    'november 20th',
    '22.11. geschlossen?',
    'on 11/21',
  ]) {
    assert.equal(of(text), 'hour', text);
  }
  assert.equal(of('Am 21. November?'), 'hour');
  assert.equal(of('Who are you?', 'Today is 2026-11-21.'), 'hour');
  for (const text of ['Who won in 1926?', 'On 2 May?', 'Add 20260 and 12026', 'version 2.21.119']) {
    assert.equal(of(text), 'day', text);
  }
});

test('tools make an answer live an hour, whatever is asked', () => {
  const tools = [{ name: 'a', description: null, parameters: null, strict: false }];
  const messages = [{ role: 'user', content: 'Translate this.' }];
  assert.equal(volatilityOf(request({ messages, tools }), NOW), 'hour');
});

test('work on a given text lives a month, the rest a day', () => {
  assert.equal(of('Translate to French: the house is red'), 'month');
  assert.equal(of('Please summarise this text: ...'), 'month');
  assert.equal(of('Übersetze: house'), 'month');
  assert.equal(of('Who painted the ceiling?'), 'day');
  assert.equal(of('Who painted the ceiling?', 'You see the current conversation.'), 'day');
  assert.equal(of('I know nowhere, snowy, todays'), 'day');
});

test('a long message is looked at only at its ends, in bounded time', () => {
  const filler = 'lorem ipsum '.repeat(100_000);
  assert.equal(of(`${filler} today ${filler}`), 'day');
  assert.equal(of(`${filler} today`), 'hour');
  assert.equal(of(`${' '.repeat(1_000_000)}right${' '.repeat(1_000_000)}`), 'day');
});

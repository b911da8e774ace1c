import assert from 'node:assert/strict';
import type { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { type WelcomeFacts, welcome, whoAnswers } from './welcome.ts';

const address = (address: string, family: 'IPv4' | 'IPv6', internal = false) =>
  ({ address, family, internal }) as NonNullable<ReturnType<typeof networkInterfaces>[string]>[number];

const interfaces = {
  lo: [address('127.0.0.1', 'IPv4', true), address('::1', 'IPv6', true)],
  eth0: [address('192.168.1.20', 'IPv4'), address('fd00::20', 'IPv6'), address('fe80::1', 'IPv6')],
};
const said = (facts: Partial<WelcomeFacts>) =>
  stripVTControlCharacters(
    welcome({
      url: 'http://127.0.0.1:11435',
      model: 'tiny',
      host: '127.0.0.1',
      names: ['kith.lan'],
      interfaces,
      ...facts,
    }),
  );
const others = (text: string) => [...text.matchAll(/from others: +(\S+)/g)].map(([, url]) => url);

test('a start names the page, and nothing else while only this machine reaches it', () => {
  const text = said({});
  assert.match(text, /Page and API: http:\/\/127\.0\.0\.1:11435$/m);
  assert.deepEqual(others(text), []);
  assert.doesNotMatch(text, /key/);
});

test('a start whose engine is no backend names no model of it', () => {
  assert.match(said({}), /^ {2}model {2}tiny$/m);
  assert.match(
    said({ model: null }),
    /^ {2}model {2}none of this machine \(gateway\.localEngine is false\)/m,
  );
  assert.equal(whoAnswers('tiny'), 'tiny answers');
  const others = stripVTControlCharacters(whoAnswers(null));
  assert.match(others, /^requests go to your backends \(kith backends list\)/);
});

test('a start that other machines reach says under which addresses, and that keys are asked for', () => {
  const four = said({ host: '0.0.0.0' });
  assert.deepEqual(others(four), ['http://192.168.1.20:11435', 'http://kith.lan:11435']);
  assert.match(four, /each request needs a key/);
  assert.deepEqual(others(said({ host: '::', url: 'https://[::1]:443', names: [] })), [
    'https://192.168.1.20',
    'https://[fd00::20]',
  ]);
  const one = said({ host: '192.168.1.20', url: 'http://192.168.1.20:80', names: [] });
  assert.deepEqual(others(one), []);
  assert.match(one, /Page and API: http:\/\/192\.168\.1\.20:80$/m);
});

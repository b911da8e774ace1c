import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLoopback, isPublicAddress } from './addresses.ts';

test('loopback names and addresses mean this machine, in every way to write them', () => {
  for (const host of [
    'localhost',
    'LOCALHOST.',
    'a.localhost',
    '127.0.0.1',
    '127.1.2.3',
    '[::1]',
    '::ffff:127.0.0.1',
  ])
    assert.equal(isLoopback(host), true, host);
  for (const host of ['128.0.0.1', '0.0.0.0', '::2', 'localhost.example', '127.0.0.1.example', ''])
    assert.equal(isLoopback(host), false, host);
});

test('only addresses of the public Internet are public', () => {
  for (const address of ['1.1.1.1', '93.184.216.34', '2606:4700::1111', '2a00:1450::1'])
    assert.equal(isPublicAddress(address), true, address);
  const not = [
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.169.254',
    '172.31.0.1',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:10.0.0.1',
    '::ffff:1.1.1.1',
    '64:ff9b::a00:1',
    'fe80::1',
    'fd00::1',
    'ff02::1',
    '2001::1',
    '2001:db8::1',
    '2002:a00:1::',
    'localhost',
    '',
  ];
  for (const address of not) assert.equal(isPublicAddress(address), false, address);
});

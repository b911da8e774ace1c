import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { settingsOf } from './settings.ts';
import { wishesOf } from './wishes.ts';

const home = mkdtempSync(join(tmpdir(), 'kith-wishes-'));
after(() => rmSync(home, { recursive: true, force: true }));
writeFileSync(join(home, 'config.yaml'), 'gateway: {cache: keep, route: local}\n');

const wishes = (flags: Record<string, unknown>, env: Record<string, string> = {}) =>
  wishesOf(settingsOf({ home, ...flags }, env));

test('what the file and the defaults say is no wish', () => {
  assert.deepEqual(wishes({ logLevel: 'warn' }), { headers: {}, ignored: [] });
});

test('flags and variables that a request can carry become its headers', () => {
  const all = {
    gatewayPrivacy: 'maximum',
    gatewayRoute: 'frontier',
    gatewayCache: 'off',
    gatewayDegrade: 'explain',
    gatewayRedundancy: '2',
    gatewayDecide: 'agreement',
    gatewayRegions: 'eu,home',
  };
  assert.deepEqual(wishes(all), {
    headers: {
      'x-kith-privacy': 'maximum',
      'x-kith-route': 'frontier',
      'x-kith-cache': 'off',
      'x-kith-degrade': 'explain',
      'x-kith-redundancy': '2',
      'x-kith-decide': 'agreement',
      'x-kith-regions': 'eu,home',
    },
    ignored: [],
  });
  for (const env of [{ KITH_GATEWAY_PRIVACY: 'maximum' }, { KWAAI_PRIVACY_LEVEL: 'MAXIMUM' }] as const)
    assert.deepEqual(wishes({}, env as unknown as Record<string, string>).headers, {
      'x-kith-privacy': 'maximum',
    });
});

test('flags of the gateway that no request can carry are named; variables stand for every program and are not', () => {
  const { headers, ignored } = wishes({ gatewayRetries: '0', gatewayRegions: '' }, { LLM_TIMEOUT: '30' });
  assert.deepEqual(headers, {});
  assert.deepEqual([...ignored].sort(), ['--gateway-regions', '--gateway-retries']);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { isKithError } from '../../base/index.ts';
import { OWN_TERMS } from '../../gateway/index.ts';
import { termHeaders, termsOf } from './terms.ts';

const owner = { key: null, name: 'local', agent: null };

test('a request that says nothing has the terms of the owner', () => {
  assert.equal(termsOf({ host: 'localhost', 'user-agent': 'x' }, owner), OWN_TERMS);
});

test('each header states its term', () => {
  assert.deepEqual(
    termsOf(
      {
        'x-kith-privacy': ' Maximum ',
        'x-kith-route': 'local',
        'x-kith-cache': 'similar',
        'x-kith-degrade': 'explain',
        'x-kith-decide': 'agreement',
        'x-kith-redundancy': '3',
        'x-kith-max-cost': '0.25',
        'x-kith-regions': 'eu, home',
        'x-kith-min-tier': 'Verified',
        'x-kith-max-latency-ms': '250',
        'x-kith-pledge': 'true',
        'x-kith-conversation': 'c-1',
        'x-kith-hops': '4',
        'accept-language': 'de-CH,de;q=0.9,en;q=0.8',
      },
      { key: 'k1', name: 'phone', agent: 'planner' },
    ),
    {
      tenant: 'k1',
      agent: 'planner',
      conversation: 'c-1',
      privacy: 'maximum',
      route: 'local',
      cache: 'similar',
      redundancy: 3,
      decide: 'agreement',
      regions: ['eu', 'home'],
      minTier: 'verified',
      maxLatencyMs: 250,
      pledge: true,
      maxCost: 0.25,
      degrade: 'explain',
      locale: 'de-CH',
      hops: 4,
    },
  );
});

test('whatever the headers hold, terms are made of it or the header at fault is named', () => {
  const value = fc.oneof(
    fc.string({ maxLength: 200 }),
    fc.constantFrom(
      'minimum',
      'local',
      'off',
      '1',
      '2',
      '1e3',
      '-1',
      'NaN',
      '',
      ',',
      'eu,,home',
      '*',
      'en-US',
    ),
  );
  const names = [...Object.keys(termHeaders), 'accept-language'];
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), value), (headers) => {
      try {
        const terms = termsOf(headers, owner);
        assert.ok(terms.redundancy === null || [1, 2, 3].includes(terms.redundancy));
        assert.ok(terms.maxCost === null || (terms.maxCost >= 0 && Number.isFinite(terms.maxCost)));
        assert.ok(terms.conversation === null || terms.conversation.length <= 120);
      } catch (error) {
        assert.ok(isKithError(error));
        const ring = error.code === 'loop_detected' && error.status === 508;
        assert.ok(ring || (error.code === 'invalid_header' && error.status === 400));
        assert.ok(names.includes(error.param!));
      }
    }),
  );
});

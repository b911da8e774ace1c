import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import {
  compareLevels,
  type Destination,
  demandsOf,
  mayGoTo,
  PEER_TIERS,
  PRIVACY_LEVELS,
  strictest,
} from './levels.ts';

const link = fc.constantFrom('encrypted' as const, 'owned_network' as const, 'open' as const);
const destination: fc.Arbitrary<Destination> = fc.oneof(
  fc.constant({ kind: 'this_machine' as const }),
  fc.record({ kind: fc.constant('owned' as const), link }),
  fc.record({ kind: fc.constant('provider' as const), link }),
  fc.record({
    kind: fc.constant('peer' as const),
    link,
    tier: fc.constantFrom(...PEER_TIERS),
    pledge: fc.boolean(),
  }),
);

test('where a stricter level may go, every weaker level may go', () => {
  fc.assert(
    fc.property(destination, fc.constantFrom(...PEER_TIERS), (to, requiredTier) => {
      const allowed = PRIVACY_LEVELS.map((level) => mayGoTo(level, to, { requiredTier }).allowed);
      for (let i = 1; i < allowed.length; i++) assert.ok(allowed[i - 1] || !allowed[i], `${i}`);
    }),
  );
});

test('nothing leaves in the clear at any level, and this machine is always allowed without replacing anything', () => {
  for (const level of PRIVACY_LEVELS) {
    assert.deepEqual(mayGoTo(level, { kind: 'this_machine' }), { allowed: true, redact: false });
    for (const kind of ['owned', 'provider'] as const) {
      const refused = mayGoTo(level, { kind, link: 'open' });
      assert.equal(refused.allowed, false);
      assert.equal(!refused.allowed && refused.code, 'link_not_secure');
    }
  }
});

test('medium has personal data replaced for everything that is not the owner', () => {
  assert.deepEqual(mayGoTo('medium', { kind: 'owned', link: 'encrypted' }), { allowed: true, redact: false });
  assert.deepEqual(mayGoTo('medium', { kind: 'provider', link: 'encrypted' }), {
    allowed: true,
    redact: true,
  });
  const peer = { kind: 'peer', link: 'encrypted', tier: 'trusted', pledge: true } as const;
  assert.deepEqual(mayGoTo('medium', peer), { allowed: true, redact: true });
  assert.deepEqual(mayGoTo('minimum', peer), { allowed: true, redact: false });
});

test('maximum takes peers of the required tier with the pledge, and never a provider', () => {
  const peer = { kind: 'peer', link: 'encrypted', tier: 'verified', pledge: true } as const;
  const code = (to: Destination, tier?: 'verified') => {
    const permission = mayGoTo('maximum', to, tier === undefined ? {} : { requiredTier: tier });
    return permission.allowed ? 'allowed' : permission.code;
  };
  assert.equal(code(peer), 'peer_tier_too_low');
  assert.equal(code(peer, 'verified'), 'allowed');
  assert.equal(code({ ...peer, pledge: false }, 'verified'), 'peer_without_pledge');
  assert.equal(code({ ...peer, tier: 'trusted' }), 'allowed');
  assert.equal(code({ kind: 'provider', link: 'encrypted' }), 'provider_not_allowed');
  assert.equal(code({ kind: 'owned', link: 'owned_network' }), 'allowed');
  const refused = mayGoTo('maximum', peer);
  assert.match(
    refused.allowed ? '' : refused.reason,
    /maximum needs a peer of tier trusted; this one is verified/,
  );
});

test('levels are ordered, and only maximum forbids shared caches and learning', () => {
  assert.equal(strictest('minimum', 'maximum', 'medium'), 'maximum');
  assert.equal(strictest('medium'), 'medium');
  assert.ok(compareLevels('minimum', 'medium') < 0 && compareLevels('maximum', 'medium') > 0);
  assert.deepEqual(
    PRIVACY_LEVELS.map((level) => [demandsOf(level).sharedCache, demandsOf(level).learning]),
    [
      [true, true],
      [true, true],
      [false, false],
    ],
  );
  assert.ok(PRIVACY_LEVELS.every((level) => demandsOf(level).secureLink && demandsOf(level).noPromptLogs));
});

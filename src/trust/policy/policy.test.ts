import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { InputError } from '../../base/index.ts';
import { folder, peerNamed } from '../testing/peers.ts';
import { openPolicy, policyPath } from './policy.ts';
import { addIssuer, removeIssuer } from './policy-edit.ts';
import { readPolicyText } from './policy-text.ts';

const ada = peerNamed('ada');
const bob = peerNamed('bob');
const carol = peerNamed('carol');

function write(home: string, text: string): void {
  mkdirSync(join(home, 'trust'), { recursive: true });
  writeFileSync(policyPath(home), text);
}

test('a policy says who may vouch for what, and when', () => {
  using home = folder();
  write(
    home.path,
    `issuers:
  - issuerDid: ${ada.did}
    types: [VerifiedNode, Uptime]
    notBefore: 2026-01-01
    notAfter: 2027-01-01T12:00:00Z
roots: [${bob.did}, { did: ${carol.did}, group: 3 }]
`,
  );
  const policy = openPolicy(home.path);
  const at = Date.UTC(2026, 5, 1);
  assert.equal(policy.accepts(ada.did, 'VerifiedNode', at), true);
  assert.equal(policy.accepts(ada.did, 'FiduciaryPledge', at), false);
  assert.equal(policy.accepts(bob.did, 'VerifiedNode', at), false);
  assert.equal(policy.accepts(ada.did, 'Uptime', Date.UTC(2025, 11, 31)), false);
  assert.equal(policy.accepts(ada.did, 'Uptime', Date.UTC(2027, 0, 1, 11)), true);
  assert.equal(policy.accepts(ada.did, 'Uptime', Date.UTC(2027, 0, 1, 12)), false);
  assert.equal(policy.accepts(bob.did, 'PeerEndorsement', at), true, 'who signs it decides what it counts');
  assert.deepEqual(
    policy.roots.map(({ peerId, group }) => [peerId, group]),
    [
      [bob.peerId, 1],
      [carol.peerId, 3],
    ],
  );
});

test('without a file nobody may vouch for anything', () => {
  using home = folder();
  const policy = openPolicy(home.path);
  assert.equal(policy.accepts(ada.did, 'VerifiedNode', 0), false);
  assert.deepEqual([policy.profile, policy.strict, policy.statusGraceDays], ['default', false, 7]);
});

test('everything wrong is named with its line', () => {
  const wrong = `profile: gold
strict: yes please
statusGraceDays: 99
issuers:
  - issuerDid: did:web:example.com
    types: [VerifiedNode, Kindness]
    colour: blue
  - issuerDid: ${ada.did}
    types: [PeerEndorsement]
  - types: [Uptime]
roots: ${bob.did}
more: 1
`;
  assert.throws(
    () => readPolicyText(wrong, 'policy.yaml'),
    (error: InputError) => {
      assert.equal(error.code, 'trust_policy_invalid');
      for (const expected of [
        'policy.yaml:1: profile: it must be one of default, reference, not "gold".',
        'policy.yaml:2: strict: it must be true or false, not "yes please".',
        'policy.yaml:3: statusGraceDays: it must be a whole number from 0 to 30, not 99.',
        'policy.yaml:5: issuerDid: it must be the did:key of an Ed25519 key',
        'policy.yaml:6: types: it must be one of FiduciaryPledge',
        'policy.yaml:7: there is no key "colour"',
        'policy.yaml:9: types: it must be one of',
        'policy.yaml:10: issuerDid is missing.',
        'policy.yaml:12: there is no key "more"',
      ])
        assert.ok(error.message.includes(expected), `${expected}\n${error.message}`);
      return true;
    },
  );
  assert.throws(() => readPolicyText('strict: true', 'p'), /p:1: strict needs roots in each of the groups/);
  assert.throws(() => readPolicyText('issuers: &a [*a]', 'p'), { code: 'trust_policy_invalid' });
  assert.throws(() => readPolicyText('profile: !!str default', 'p'), { code: 'trust_policy_invalid' });
  assert.throws(() => readPolicyText(`${'['.repeat(50_000)}`, 'p'), { code: 'trust_policy_invalid' });
  const twice = `roots: [${ada.did}, ${ada.did}]`;
  assert.throws(() => readPolicyText(twice, 'p'), /stands in roots twice/);
});

test('any text is a policy or is refused as one', () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(
      'issuers:',
      '  - issuerDid: x',
      '    types: [Uptime]',
      'roots: []',
      '- a',
      'strict: true',
      '? {a: b}',
    ),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      try {
        readPolicyText(lines.join('\n'), 'p');
      } catch (error) {
        assert.ok(error instanceof InputError, String(error));
      }
    }),
  );
});

test('a change of what the file says changes the epoch, a comment does not, and damage leaves the old one in force', () => {
  using home = folder();
  const text = `issuers:\n  - issuerDid: ${ada.did}\n    types: [Uptime]\n`;
  write(home.path, text);
  const policy = openPolicy(home.path);
  const first = policy.epoch;
  assert.equal(policy.refresh(), false);
  write(home.path, `# mine\n${text}`);
  assert.equal(policy.refresh(), false);
  assert.equal(policy.epoch, first);
  write(home.path, `${text}    notAfter: 2020-01-01\n`);
  assert.equal(policy.refresh(), true);
  assert.notEqual(policy.epoch, first);
  assert.equal(policy.accepts(ada.did, 'Uptime', Date.UTC(2026, 0, 1)), false);
  write(home.path, 'issuers: 7');
  assert.equal(policy.refresh(), false);
  assert.match(policy.problem ?? '', /issuers must be a list/);
  assert.equal(policy.issuers.length, 1);
  write(home.path, text);
  assert.equal(policy.refresh(), true);
  assert.deepEqual([policy.problem, policy.epoch], [null, first]);
});

test('issuers are added and removed with the comments of the file kept', async () => {
  using home = folder();
  await addIssuer(home.path, { issuer: ada.peerId, types: ['VerifiedNode'] });
  assert.match(readFileSync(policyPath(home.path), 'utf8'), /^# Who may vouch for what/);
  write(
    home.path,
    `# of the house
profile: default # plain
issuers:
  # a friend
  - issuerDid: ${ada.did} # Ada
    types: [VerifiedNode] # so far
roots:
  - ${bob.did}
`,
  );
  await addIssuer(home.path, { issuer: ada.did, types: ['Uptime', 'VerifiedNode'], notAfter: '2030-01-01' });
  await addIssuer(home.path, { issuer: carol.did, types: ['FiduciaryPledge'] });
  const added = readFileSync(policyPath(home.path), 'utf8');
  for (const comment of ['# of the house', '# plain', '# a friend', '# Ada', '# so far'])
    assert.ok(added.includes(comment), `${comment}\n${added}`);
  const policy = openPolicy(home.path);
  assert.deepEqual(
    policy.issuers.map(({ issuerDid, types }) => [issuerDid, types]),
    [
      [ada.did, ['VerifiedNode', 'Uptime']],
      [carol.did, ['FiduciaryPledge']],
    ],
  );
  assert.equal(policy.issuers[0]!.notAfter, Date.UTC(2030, 0, 1));
  await removeIssuer(home.path, carol.peerId);
  await removeIssuer(home.path, ada.did, ['VerifiedNode']);
  policy.refresh();
  assert.deepEqual(
    policy.issuers.map(({ types }) => types),
    [['Uptime']],
  );
  await removeIssuer(home.path, ada.did);
  policy.refresh();
  assert.deepEqual(policy.issuers, []);
  assert.match(readFileSync(policyPath(home.path), 'utf8'), /# of the house[\s\S]*roots:/);
  await assert.rejects(removeIssuer(home.path, ada.did), { code: 'issuer_not_found' });
});

test('a file that cannot be used is not edited', async () => {
  using home = folder();
  write(home.path, 'issuers: 7\n');
  await assert.rejects(addIssuer(home.path, { issuer: ada.did, types: ['Uptime'] }), {
    code: 'trust_policy_invalid',
  });
  assert.equal(readFileSync(policyPath(home.path), 'utf8'), 'issuers: 7\n');
});

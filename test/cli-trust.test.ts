import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '../src/base/index.ts';
import { createIdentity } from '../src/identity/index.ts';
import { openTrust } from '../src/trust/index.ts';
import { kith, kithProcess, stopAll } from './cli-support.ts';

const home = mkdtempSync(join(tmpdir(), 'kith-cli-trust-'));
after(() => {
  stopAll();
  rmSync(home, { recursive: true, force: true });
});
const run = (...args: string[]) => kith([...args, '--home', home]);
/** In a process of its own: what it changes, the next finds on the disk only. */
const runProcess = (...args: string[]) => kithProcess([...args, '--home', home]);
const peer = createIdentity(new Uint8Array(32).fill(9));
const issuer = createIdentity(new Uint8Array(32).fill(8));

test('the policy is edited and listed on the command line', async () => {
  const added = await runProcess('policy', 'issuer', 'add', issuer.peerId, '--type', 'verifiednode,UptimeVC');
  assert.equal(added.code, 0, added.err);
  assert.equal((await run('policy', 'issuer', 'remove', issuer.did, '--type', 'Uptime')).code, 0);
  const listed = await run('policy', 'issuer', 'list', '--json');
  assert.deepEqual(JSON.parse(listed.out).issuers, [
    { issuer: issuer.did, types: ['VerifiedNode'], not_before: null, not_after: null },
  ]);
  const wrong = await run('policy', 'issuer', 'add', issuer.did, '--type', 'Throughput');
  assert.notEqual(wrong.code, 0);
  assert.match(wrong.err, /count by the standing of who signs them/);
  assert.notEqual((await run('policy', 'issuer', 'remove', peer.did)).code, 0);
});

test('reputation is listed, explained and reset, with a warning of what is lost', async () => {
  {
    using trust = openTrust({ home, clock: systemClock, self: null });
    for (let i = 0; i < 40; i++) trust.observe(peer.peerId, 'audit', 1);
    trust.incident(peer.peerId, 'recomputed', 'evidence');
  }
  const [listed] = JSON.parse((await run('reputation', 'list', '--json')).out);
  assert.deepEqual([listed.peer_id, listed.observations, listed.tier], [peer.peerId, 40, 'known']);
  const shown = await run('reputation', 'show', peer.did);
  assert.match(shown.out, /S {2}strikes +0\.500 {2}recomputed 0 d ago; in quarantine for 30 more days/);
  assert.match(shown.out, /profile default: known, reference: unknown; default is in force/);
  const refused = await run('reputation', 'reset', peer.peerId);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /40 observations[\s\S]*recomputed[\s\S]*--yes/);
  const reset = JSON.parse((await runProcess('reputation', 'reset', peer.peerId, '--yes', '--json')).out);
  assert.deepEqual([reset.lost, reset.score], [{ observations: 40, incidents: 1 }, 0]);
});

test('a peer is endorsed with a credential that verifies, and the endorsement is ended', async () => {
  const without = await run('reputation', 'endorse', peer.peerId);
  assert.notEqual(without.code, 0);
  assert.match(without.err, /never dealt with/);
  const file = join(home, 'endorsement.json');
  const made = await runProcess(
    'reputation',
    'endorse',
    peer.peerId,
    '--interactions',
    '30',
    '--valid-for',
    '30d',
    '-o',
    file,
  );
  assert.equal(made.code, 0, made.err);
  assert.equal(JSON.parse(readFileSync(file, 'utf8')).credentialSubject.interactionCount, 20);
  const verified = await run('identity', 'verify', file);
  assert.equal(verified.code, 0, verified.err);
  const term = async () => {
    const { terms } = JSON.parse((await run('reputation', 'show', peer.peerId, '--json')).out);
    return terms.find(({ name }: { name: string }) => name === 'endorsements').value.toFixed(3);
  };
  assert.equal(await term(), '0.333');
  assert.equal((await runProcess('reputation', 'unendorse', peer.peerId)).code, 0);
  assert.equal(await term(), '0.000');
  assert.notEqual((await run('reputation', 'unendorse', peer.peerId)).code, 0);
});

/**
 * Privacy `maximum` over peers: only through those with the tier and the pledge, whoever else would be faster, and with the ends of
 * the model on the machine of who asks.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { resolveConfig, setInFile, silentLogger, systemClock } from '../../src/base/index.ts';
import { eventData } from '../../src/cli/sse.ts';
import {
  type CredentialType,
  createCredentialVerifier,
  createIdentity,
  issueCredential,
} from '../../src/identity/index.ts';
import { createModelStore } from '../../src/models/index.ts';
import { openNodeIdentity } from '../../src/node/identity.ts';
import type { Node } from '../../src/node/index.ts';
import type { PathPlanView } from '../../src/server/index.ts';
import { addIssuer, openTrust } from '../../src/trust/index.ts';
import { testModel } from '../models/index.ts';
import { createHome, startNode, type TestHome } from '../node-support.ts';
import { peerIdOf } from '../swarm/members.ts';
import { until } from '../swarm-support.ts';
import { type Lender, type Lending, lendingOf } from './lending.ts';

const CLAIMS: Partial<Record<CredentialType, Record<string, unknown>>> = {
  VerifiedNode: { operatorClass: 'individual' },
  Uptime: { uptimePermille: 999, periodDays: 30, probes: 100 },
  FiduciaryPledge: { pledgeName: 'pledge', pledgeHash: '0'.repeat(64) },
};
const PEERS = [161, 162, 163, 164];

let home: TestHome;
let node: Node;
let lending: Lending;
/** Trusted, with the pledge: blocks [0, 4) and [4, 8). */
let pledged: Lender[];
/** All blocks: a trusted one without the pledge, and one with it whom hardly anybody vouches for. */
let unfit: Lender[];
let token: string;

interface Receipt {
  readonly route: { readonly privacy: { readonly level: string; readonly where: string } };
  readonly path: {
    readonly span: { readonly from: number; readonly to: number };
    readonly shards: readonly { readonly peer: string; readonly from: number; readonly to: number }[];
    readonly lost: readonly { readonly peer: string }[];
  };
}

const call = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  fetch(`${node.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const plan = async (query = ''): Promise<PathPlanView> =>
  (await call('GET', `/kith/v1/shards/plan?model=tiny${query}`)).json() as Promise<PathPlanView>;

async function ask(
  privacy: string | null,
  onPiece: (count: number) => unknown = () => {},
  model = 'tiny@peers',
): Promise<{ readonly text: string; readonly receipt: Receipt }> {
  const response = await call(
    'POST',
    '/v1/chat/completions',
    {
      model,
      messages: [{ role: 'user', content: 'Tell me something about the sea.' }],
      ...{ max_tokens: 24, temperature: 0, stream: true, kith: { receipt: true } },
    },
    privacy === null ? {} : { 'x-kith-privacy': privacy },
  );
  assert.equal(response.status, 200, response.ok ? '' : await response.text());
  let text = '';
  let count = 0;
  let receipt: Receipt | null = null;
  for await (const data of eventData(response.body!)) {
    if (data === '[DONE]') break;
    const event = JSON.parse(data);
    assert.equal(event.error, undefined, data);
    const piece = event.choices?.[0]?.delta?.content;
    if (piece) {
      text += piece;
      await onPiece(++count);
    }
    receipt = event.kith ?? receipt;
  }
  return { text, receipt: receipt! };
}

/** What the node holds of the peers before it meets them: credentials of two issuers that its policy names. */
async function vouchFor(all: readonly (readonly [Lender, readonly CredentialType[]])[]): Promise<void> {
  const issuers = [7, 8].map((byte) => createIdentity(new Uint8Array(32).fill(byte)));
  const [first, second] = issuers as [(typeof issuers)[0], (typeof issuers)[0]];
  await addIssuer(home.path, { issuer: first.did, types: ['VerifiedNode'] });
  await addIssuer(home.path, { issuer: second.did, types: ['Uptime', 'FiduciaryPledge'] });
  const { config } = resolveConfig({ home: home.path, env: {} });
  const { identity } = await openNodeIdentity(config, silentLogger, undefined);
  using trust = openTrust({ home: home.path, clock: systemClock, self: identity.peerId });
  const status = { look: () => ({ state: 'clear', stale: false }) as const };
  const verifier = createCredentialVerifier({ clock: systemClock, policy: trust.policy, status });
  for (const [{ identity: subject }, types] of all)
    for (const type of types) {
      const claims = { ...CLAIMS[type], ...(type === 'VerifiedNode' && { operatorId: subject.peerId }) };
      const made = issueCredential(type === 'VerifiedNode' ? first : second, {
        ...{ type, subject: subject.did, claims },
        validFrom: Math.floor(Date.now() / 1000) * 1000,
      });
      const { verdict, facts } = await verifier.verify(made.bytes, { subject: subject.did });
      assert.equal(verdict.code, 'ok');
      trust.learn(facts!);
    }
}

before(async () => {
  home = await createHome();
  const file = await testModel('minimind2-q8_0');
  await using store = createModelStore({ home: home.path });
  lending = await lendingOf(file, (await store.get('tiny')).manifest.sha256);
  const [a, b, c, d] = PEERS as [number, number, number, number];
  // So slow that no measured way makes up for it.
  const slow = { tokensPerSecond: 2 };
  pledged = await Promise.all([lending.lend(a, 0, 4, slow), lending.lend(b, 4, 8, slow)]);
  unfit = [await lending.lend(c, 0, 8), await lending.lend(d, 0, 8)];
  for (const [key, value] of Object.entries({
    'swarm.enabled': true,
    'swarm.network': 'lan',
    'swarm.listen': '/ip4/127.0.0.1/tcp/0',
    'swarm.connectionsPerSecond': 1000,
    'swarm.friends': PEERS.map(peerIdOf).join(','),
    'shards.pathCells': 512,
  }))
    await setInFile(home.path, key, value);
  await vouchFor([
    ...pledged.map((one) => [one, ['VerifiedNode', 'Uptime', 'FiduciaryPledge']] as const),
    [unfit[0]!, ['VerifiedNode', 'Uptime']],
    [unfit[1]!, ['FiduciaryPledge']],
  ]);
  node = await startNode(home);
  ({ token } = JSON.parse(await readFile(join(home.path, 'run', 'node.json'), 'utf8')));
  const all = [...pledged, ...unfit];
  await until(
    async () => {
      for (const lender of all) {
        await call('POST', '/kith/v1/swarm/connect', { target: lender.swarm.addresses[0]! });
        lender.announce();
      }
      return [await plan(), await plan('&minTier=trusted&pledge=true')];
    },
    // Those that are better have been heard of, and the others, too.
    ([open, held]) =>
      open!.leftOut.every(({ reason }) => reason === 'self') &&
      held!.path !== null &&
      unfit.some(({ peer }) => peer === open!.path?.shards[0]?.peer),
  );
});
after(async () => {
  await node.close();
  await lending[Symbol.asyncDispose]();
  await home.remove();
});

/** What has come to them from now on. */
const forget = () => {
  for (const { asked } of unfit) (asked as Set<string>).clear();
};
const unfitAsked = () => unfit.flatMap(({ asked }) => [...asked]);

test('what demands nothing goes through whoever is best', async () => {
  const { receipt } = await ask(null);
  assert.equal(receipt.path.shards.length, 1);
  assert.ok(unfit.some(({ peer }) => peer === receipt.path.shards[0]!.peer));
  assert.ok(unfitAsked().length > 0);
});

test('at maximum an answer goes through peers with the tier and the pledge alone, between ends that stay here', async () => {
  forget();
  const { text, receipt } = await ask('maximum');
  assert.deepEqual(receipt.path.span, { from: 2, to: 6 });
  assert.deepEqual(receipt.path.shards, [
    { peer: pledged[0]!.peer, from: 2, to: 4 },
    { peer: pledged[1]!.peer, from: 4, to: 6 },
  ]);
  assert.deepEqual([receipt.route.privacy.level, receipt.route.privacy.where], ['maximum', 'peer']);
  assert.deepEqual(unfitAsked(), []);
  assert.equal(text, (await ask(null, () => {}, 'tiny')).text);
});

test('when one of them is lost in mid-answer, those without the tier or the pledge do not take its place', async () => {
  forget();
  const whole = (await ask(null, () => {}, 'tiny')).text;
  const { text, receipt } = await ask('maximum', (count) => (count === 5 ? pledged[1]!.kill() : undefined));
  assert.equal(text, whole);
  assert.deepEqual(
    receipt.path.lost.map(({ peer }) => peer),
    [pledged[1]!.peer],
  );
  // Nobody else may see it: this node has loaded the blocks itself.
  const { peer: self } = (await (await call('GET', '/kith/v1/swarm')).json()) as { peer: string };
  assert.deepEqual(receipt.path.shards.at(-1), { peer: self, from: 4, to: 6 });
  assert.deepEqual(unfitAsked(), []);
});

test('when no path of such peers is left, the next request is refused and goes nowhere', async () => {
  await Promise.all(pledged.map((peer) => peer.kill()));
  await until(
    () => plan('&minTier=trusted&pledge=true'),
    ({ path }) => path === null,
  );
  forget();
  const response = await until(
    () =>
      call(
        'POST',
        '/v1/chat/completions',
        { model: 'tiny@peers', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 4 },
        { 'x-kith-privacy': 'maximum' },
      ),
    ({ status }) => status !== 200,
  );
  assert.ok([403, 503].includes(response.status), await response.text());
  assert.deepEqual(unfitAsked(), []);
});

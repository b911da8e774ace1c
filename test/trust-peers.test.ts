/**
 * What a node thinks of a peer follows what the two and an issuer do, over real connections: A trusts the issuer I, B is
 * the one who is looked at. A and I are not connected: what I says reaches A by way of B.
 */
import assert from 'node:assert/strict';
import { appendFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  createSeededRandom,
  encodeCbor,
  resolveConfig,
  silentLogger,
  systemClock,
  systemRandom,
} from '../src/base/index.ts';
import {
  type CredentialType,
  createCredentialVerifier,
  createIdentity,
  type Identity,
  type IssuedCredential,
  issueCredential,
  openWallet,
  peerIdOf,
  peerIdOfDid,
  presentCredentials,
  publishStatusLists,
  readKeyFile,
  rotateKey,
  signHandOver,
  type Wallet,
} from '../src/identity/index.ts';
import { openNodeIdentity } from '../src/node/identity.ts';
import { CREDENTIAL_METHODS } from '../src/node/swarm-credentials-wire.ts';
import type { PeersView, SwarmView } from '../src/server/index.ts';
import { createSwarm, type Swarm } from '../src/swarm/index.ts';
import { BarePeer } from '../src/swarm/testing/nodes.ts';
import { addIssuer, openTrust, type Trust, type TrustScore } from '../src/trust/index.ts';
import { type SwarmNode, startSwarmNode, swarmHome, until } from './swarm-support.ts';

const CLAIMS: Partial<Record<CredentialType, Record<string, unknown>>> = {
  VerifiedNode: { operatorClass: 'individual', operatorId: 'op-b' },
  Uptime: { uptimePermille: 999, periodDays: 30, probes: 100 },
  FiduciaryPledge: { pledgeName: 'pledge', pledgeHash: '0'.repeat(64) },
};
const noPassphrase = async () => {
  throw new Error('no passphrase is asked for');
};

let homeA: string;
let homeB: string;
let homeI: string;
let a: SwarmNode;
let b: SwarmNode;
let i: SwarmNode;
let ofB: SwarmView;
let issuer: Identity;
const parts = new AsyncDisposableStack();

async function identityOf(home: string): Promise<Identity> {
  const { config } = resolveConfig({ home, env: {} });
  return (await openNodeIdentity(config, silentLogger, undefined)).identity;
}

/** As another process of the home has it: the command line. */
async function withWallet<T>(home: string, work: (wallet: Wallet) => Promise<T>): Promise<T> {
  using wallet = openWallet(home, { clock: systemClock, random: systemRandom });
  return await work(wallet);
}
async function withTrust<T>(home: string, work: (trust: Trust) => T): Promise<T> {
  using trust = openTrust({ home, clock: systemClock, self: (await identityOf(home)).peerId });
  return work(trust);
}
const scoreOn = (home: string, peer: string): Promise<TrustScore> =>
  withTrust(home, (trust) => trust.score(peer));
const detail = ({ terms }: TrustScore, name: string) => terms.find((term) => term.name === name)!.detail;

/** As `kith identity issue` does. */
const issue = (type: CredentialType, subject: string): Promise<IssuedCredential> =>
  withWallet(homeI, async (wallet) => {
    const made = wallet.issued.issue(issuer, {
      type,
      subject,
      claims: CLAIMS[type]!,
      validFrom: Math.floor(Date.now() / 1000) * 1000,
    });
    await publishStatusLists(homeI, wallet, issuer);
    return made;
  });

/** As `kith identity import-vc --status-list FILE --publish` does. */
const hold = (home: string, made: IssuedCredential): Promise<void> =>
  withWallet(home, async (wallet) => {
    const list = await readFile(join(homeI, 'identity', 'status', 'list-1.json'));
    wallet.lists.take(list);
    const policy = { epoch: 1, accepts: () => true };
    const verifier = createCredentialVerifier({ clock: systemClock, policy, status: wallet.lists });
    const { verdict } = await wallet.held.import(made.bytes, verifier);
    assert.equal(verdict.code, 'ok', verdict.reason);
    wallet.held.show(made.digest, true);
  });

/** What A's running node shows of a peer. */
const seenByA = async (peer: string) => {
  const { peers } = await a.call<PeersView>('GET', '/peers');
  return peers.find((one) => one.peer === peer) ?? null;
};
const tierOnA = (peer: string, tier: string) =>
  until(
    () => seenByA(peer),
    (seen) => seen?.tier === tier,
  );

/** The code of the answer to a request that no peer below Verified may see. */
async function codeOfSensitive(): Promise<string> {
  const response = await fetch(`${a.node.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-kith-min-tier': 'verified' },
    body: JSON.stringify({ model: 'secret', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 1 }),
  });
  const { error } = (await response.json()) as { error: { code: string } };
  return error.code;
}

before(async () => {
  [homeA, homeB, homeI] = await Promise.all([
    swarmHome({ 'openai.enabled': false, 'swarm.dht': 'off' }),
    swarmHome({ 'swarm.dht': 'off' }),
    swarmHome({ 'swarm.dht': 'off' }),
  ]);
  issuer = await identityOf(homeI);
  const { did } = await identityOf(homeB);
  await addIssuer(homeA, { issuer: issuer.did, types: ['VerifiedNode', 'Uptime'] });
  await appendFile(
    join(homeA, 'config.yaml'),
    `backends:\n  - { name: bea, kind: peer, peer: "${did}", models: [secret] }\n`,
  );
  await hold(homeB, await issue('VerifiedNode', did));
  // Whatever does not start, the others are closed.
  const start = async (home: string) => parts.use(await startSwarmNode(home));
  [a, b, i] = await Promise.all([start(homeA), start(homeB), start(homeI)]);
  ofB = await b.view();
});
after(() => parts.disposeAsync());

test('a credential that B shows raises its tier on A by the table, and requests follow at once', async () => {
  assert.equal((await scoreOn(homeA, ofB.peer)).score, 0);
  await Promise.all([a, i].map((node) => node.call('POST', '/connect', { target: ofB.addresses[0]! })));
  await tierOnA(ofB.peer, 'known');
  assert.equal((await scoreOn(homeA, ofB.peer)).score.toFixed(3), '0.200');
  const refused = await codeOfSensitive();
  const uptime = await issue('Uptime', ofB.did);
  await hold(homeB, uptime);
  await tierOnA(ofB.peer, 'verified');
  assert.equal((await scoreOn(homeA, ofB.peer)).score.toFixed(3), '0.400');
  // It reaches B now, who serves A nothing.
  const asked = await codeOfSensitive();
  assert.notEqual(asked, refused);
  assert.equal(asked, 'peer_denied');
});

test('what is not published is shown to nobody', async () => {
  const pledge = await issue('FiduciaryPledge', ofB.did);
  await hold(homeB, pledge);
  await withWallet(homeB, async (wallet) => void wallet.held.show(pledge.digest, false));
  await withTrust(homeB, (trust) => trust.tier(ofB.peer));
  const reply = await shownBy(ofB);
  assert.equal(Buffer.from(reply).includes(Buffer.from('FiduciaryPledge')), false);
  assert.equal(Buffer.from(reply).includes(Buffer.from('VerifiedNode')), true);
});

test('an endorsement that B gave is taken in by A', async () => {
  const stranger = createIdentity(new Uint8Array(32).fill(77));
  const bea = await identityOf(homeB);
  await withWallet(homeB, async (wallet) => {
    const made = wallet.issued.issue(bea, {
      type: 'PeerEndorsement',
      subject: stranger.did,
      claims: { interactionCount: 20 },
      validFrom: Date.now(),
    });
    const policy = { epoch: 1, accepts: () => true };
    const verifier = createCredentialVerifier({ clock: systemClock, policy, status: wallet.lists });
    const { facts } = await verifier.verify(made.bytes);
    await withTrust(homeB, (trust) => trust.learn(facts!));
  });
  const score = await until(
    () => scoreOn(homeA, stranger.peerId),
    ({ score }) => score > 0,
  );
  assert.match(detail(score, 'endorsements'), new RegExp(`^${ofB.peer} `));
});

test('what liars show changes nothing', async () => {
  const before = await scoreOn(homeA, ofB.peer);
  const [good] = await withWallet(homeB, async (wallet) => wallet.held.shown(ofB.did));
  const key = createIdentity(new Uint8Array(32).fill(66));
  const list = { issuer: issuer.did, id: `${issuer.did}/status/1` };
  const old = Date.now() - 200 * 86_400_000;
  const about = (by: Identity, type: CredentialType, subject: string, validFrom = Date.now()) =>
    issueCredential(by, { type, subject, claims: CLAIMS[type] ?? {}, validFrom });
  const changed = new TextDecoder()
    .decode((await issue('VerifiedNode', key.did)).bytes)
    .replace('op-b', 'op-x');
  const replayed = presentCredentials(await identityOf(homeB), {
    credentials: [good!.bytes],
    challenge: 'a'.repeat(32),
    domain: key.did,
    now: Date.now(),
  });
  const credentials: Uint8Array[] = [
    new TextEncoder().encode(changed),
    about(key, 'VerifiedNode', key.did).bytes,
    about(issuer, 'Uptime', key.did, old).bytes,
    good!.bytes,
    replayed.slice(0, 4096),
    new TextEncoder().encode('{}'),
  ];
  const endorsement = {
    type: 'PeerEndorsement',
    claims: { interactionCount: 20 },
    validFrom: Date.now(),
  } as const;
  const endorsements = [
    // Of another's, of the liar's own making; and a credential in its place.
    issueCredential(await identityOf(homeB), { ...endorsement, subject: key.did }).bytes,
    about(key, 'VerifiedNode', ofB.did).bytes,
  ];
  // The hand-over is genuine, and to a third key.
  const handOvers = [signHandOver(createIdentity(new Uint8Array(32).fill(68)), key2(), Date.now()).bytes];
  const liar = await createSwarm({
    seed: new Uint8Array(32).fill(66),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    network: 'lan',
    dht: 'off',
    webrtc: false,
    log: silentLogger,
  });
  parts.use(liar);
  const payload = encodeCbor(
    {
      c: credentials,
      e: endorsements,
      h: handOvers,
      // Asked for after all of the rest was looked at.
      l: [[list.issuer, list.id, Date.now() + 3_600_000]],
    },
    { maxBytes: 262_144 },
  );
  liar.handle(CREDENTIAL_METHODS.credentials, { handler: () => ({ payload: payload.slice() }) });
  const askedForList = Promise.withResolvers<void>();
  liar.handle(CREDENTIAL_METHODS.list, {
    handler: () => {
      askedForList.resolve();
      return { payload: new TextEncoder().encode('{"no":"list"}') };
    },
  });
  await a.call('POST', '/connect', { target: liar.addresses[0]! });
  await askedForList.promise;
  const after = await scoreOn(homeA, key.peerId);
  assert.equal(after.score, 0);
  assert.equal(after.tier, 'unknown');
  assert.equal((await scoreOn(homeA, key2().peerId)).score, 0);
  const { terms, tier } = await scoreOn(homeA, ofB.peer);
  assert.equal(tier, before.tier);
  assert.deepEqual(
    terms.map(({ detail }) => detail),
    before.terms.map(({ detail }) => detail),
  );
});

test('what I revokes stops counting on A when its list is passed on, and the explanation says so', async () => {
  await withWallet(homeI, async (wallet) => {
    const row = wallet.issued.list().find(({ type, subject }) => type === 'Uptime' && subject === ofB.did)!;
    wallet.issued.revoke(issuer, row.digest, 'a test');
    await publishStatusLists(homeI, wallet, issuer, [row.list!]);
  });
  const links = (await a.call<SwarmView>('GET', '')).links.map(({ peer }) => peer);
  assert.equal(links.includes(issuer.peerId), false, 'A and I are not connected');
  await tierOnA(ofB.peer, 'known');
  const score = await scoreOn(homeA, ofB.peer);
  assert.equal(score.score.toFixed(3), '0.200');
  assert.match(detail(score, 'credentials'), new RegExp(`Uptime revoked by ${issuer.did}`));
  assert.notEqual(await codeOfSensitive(), 'peer_denied');
});

test('trust follows the rotation of a key once, and the old key is refused', async () => {
  await withTrust(homeA, (trust) => {
    for (let n = 0; n < 200; n++) trust.observe(ofB.peer, 'audit', 1);
  });
  const old = ofB;
  await b.node.close();
  const { handOver, retired } = await rotateKey(homeB, {
    clock: systemClock,
    random: systemRandom,
    passphrase: noPassphrase,
  });
  const next = peerIdOfDid(handOver.to);
  await hold(homeB, await issue('VerifiedNode', handOver.to));
  b = parts.use(await startSwarmNode(homeB));
  ofB = await b.view();
  assert.equal(ofB.peer, next);
  await a.call('POST', '/connect', { target: ofB.addresses[0]! });
  // .20 + .80 * .35 * .40 * 100 / 110: half of what was seen, and its credential, which was issued anew.
  await tierOnA(next, 'known');
  const inherited = await until(
    () => scoreOn(homeA, next),
    ({ score }) => score > 0.3,
  );
  assert.equal(inherited.score.toFixed(3), '0.302');
  const left = await scoreOn(homeA, old.peer);
  assert.equal(left.score, 0);
  assert.deepEqual(left.gates.slice(0, 1), [`handed over to ${next}`]);
  // Shown again it changes nothing.
  assert.equal(await withTrust(homeA, (trust) => trust.succeed(old.peer, next)), 'known');
  assert.equal((await scoreOn(homeA, next)).score.toFixed(3), '0.302');
  const seed = await readKeyFile(await readFile(await retiredPath(retired)), retired).open(noPassphrase);
  assert.equal(peerIdOf(createIdentity(seed).publicKey), old.peer);
  await using thief = await createSwarm({
    seed,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    network: 'lan',
    dht: 'off',
    webrtc: false,
    log: silentLogger,
  });
  const { addresses } = await a.view();
  await thief.dial(addresses[0]!).catch(() => {});
  await assert.rejects(thief.ping((await identityOf(homeA)).peerId, { deadlineMs: 3000 }));
  await assert.rejects(a.call('POST', '/connect', { target: thief.addresses[0]! }));
});

test('B misbehaves on the wire: it is cut, its tier falls, and the terms say why', async () => {
  await hold(homeB, await issue('Uptime', ofB.did));
  await tierOnA(ofB.peer, 'verified');
  const seed = await readKeyFile(await readFile(join(homeB, 'identity', 'key.json')), 'key.json').open(
    noPassphrase,
  );
  await b.node.close();
  await using hostile = await BarePeer.start(0, { seed });
  assert.equal(hostile.peer, ofB.peer);
  const addresses = { addresses: (await a.view()).addresses } as unknown as Swarm;
  for (let attempt = 0; attempt < 3; attempt++) {
    const stream = await hostile.open(addresses);
    stream.send(new Uint8Array(1000).fill(0xee));
    await until(
      async () => stream.closed,
      (closed) => closed,
    );
  }
  await until(
    () => seenByA(ofB.peer),
    (seen) => seen === null || (!seen.connected && seen.tier === 'known'),
  );
  const score = await scoreOn(homeA, ofB.peer);
  assert.equal(score.tier, 'known');
  assert.match(detail(score, 'moderation'), /broke the rules of the wire 3\.0 times/);
  assert.match(detail(score, 'strikes'), /hostile_conduct 0 d ago/);
  assert.notEqual(score.quarantineUntil, null);
});

function key2(): Identity {
  return createIdentity(new Uint8Array(32).fill(67));
}

/** What a node shows to a stranger. */
async function shownBy({ addresses, peer }: Pick<SwarmView, 'addresses' | 'peer'>): Promise<Uint8Array> {
  await using stranger = await createSwarm({
    seed: createSeededRandom(99).bytes(32),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    network: 'lan',
    dht: 'off',
    webrtc: false,
    log: silentLogger,
  });
  await stranger.dial(addresses[0]!);
  return (await stranger.call(peer, CREDENTIAL_METHODS.credentials)).payload;
}

/** The rotation tells a path, or the name in its folder. */
async function retiredPath(retired: string): Promise<string> {
  if (retired.includes('/')) return retired;
  const folder = join(homeB, 'identity', 'retired');
  return join(folder, (await readdir(folder))[0]!);
}

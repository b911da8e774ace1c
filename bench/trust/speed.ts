/**
 * What scores cost in processor time: on each request, after each observation, and for ranks of a large community.
 *
 * @module bench/trust/speed
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createManualClock, createSeededRandom } from '../../src/base/index.ts';
import {
  type CredentialFacts,
  type CredentialType,
  createIdentity,
  type Identity,
} from '../../src/identity/index.ts';
import { pageRank, sparseGraph } from '../../src/trust/eigentrust/page-rank.ts';
import { openTrust, type Trust } from '../../src/trust/index.ts';
import { median } from '../lib/stats.ts';

const PEERS = 1000;
const GIVEN = 15;

export async function speed(seed: number): Promise<string[][]> {
  const home = mkdtempSync(join(tmpdir(), 'kith-bench-trust-'));
  try {
    const peers = Array.from({ length: PEERS }, (_, i) => key(`peer ${i}`));
    const issuer = key('issuer');
    await mkdir(join(home, 'trust'));
    writeFileSync(
      join(home, 'trust', 'policy.yaml'),
      `issuers: [{ issuerDid: ${issuer.did}, types: [VerifiedNode, Uptime] }]\nroots: [${peers
        .slice(0, 20)
        .map(({ did }) => did)
        .join(', ')}]\n`,
    );
    const clock = createManualClock(Date.now());
    const trust = openTrust({ home, clock, self: null });
    const learnt = fill(trust, peers, issuer, seed);
    const first = timed(() => trust.score(peers[0]!.peerId));
    const later: number[] = [];
    for (let i = 0; i < 5; i++) {
      await clock.advance(600_000);
      later.push(timed(() => trust.score(peers[0]!.peerId)));
    }
    const rows = [
      ['credential or endorsement taken in', micro(learnt.ms / learnt.count)],
      ['ranks of 1,000 peers, 15,000 endorsements: the first time', milli(first)],
      ['and later (every 10 s at most, when something changed)', milli(median(later))],
      ['score of a peer for the first time', micro(each(peers, ({ peerId }) => trust.score(peerId)))],
      ['the same within 10 s (each request)', micro(each(peers, ({ peerId }) => trust.tier(peerId)))],
      ['observation stored', micro(each(peers, ({ peerId }) => trust.observe(peerId, 'audit', 1)))],
      ['score after an observation', micro(each(peers, ({ peerId }) => trust.score(peerId)))],
      [
        'incident, on the disk',
        micro(each(peers.slice(900), ({ peerId }) => trust.incident(peerId, 'recomputed', 'evidence'))),
      ],
    ];
    trust.close();
    return [...rows, ...largeGraph(seed)];
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function fill(trust: Trust, peers: readonly Identity[], issuer: Identity, seed: number) {
  const random = createSeededRandom(seed);
  const now = Date.now();
  const facts: CredentialFacts[] = [];
  for (const peer of peers) {
    for (const type of ['VerifiedNode', 'Uptime'] as const) facts.push(factsOf(type, issuer, peer, now, {}));
    for (let i = 0; i < GIVEN; i++) {
      const other = peers[Math.floor(random.float() * peers.length)]!;
      facts.push(factsOf('PeerEndorsement', peer, other, now, { interactionCount: 20 }));
    }
  }
  return { count: facts.length, ms: facts.length * each(facts, (one) => trust.learn(one)) };
}

function largeGraph(seed: number): string[][] {
  const random = createSeededRandom(seed);
  const size = 21_000;
  const any = () => Math.floor(random.float() * size);
  const edges = Array.from({ length: 220_000 }, () => [any(), any()] as const);
  const graph = sparseGraph(size, edges);
  const roots = Array.from({ length: 20 }, (_, i) => i);
  return [0.15, 0.5].map((restart) => {
    let iterations = 0;
    const ms = timed(() => {
      ({ iterations } = pageRank(graph, roots, { restart }));
    });
    return [
      `ranks of 21,000 peers, 220,000 endorsements, a = ${restart}`,
      `${milli(ms)}, ${iterations} iterations`,
    ];
  });
}

function key(name: string): Identity {
  return createIdentity(createHash('sha256').update(name).digest());
}

function factsOf(
  type: CredentialType,
  issuer: Identity,
  subject: Identity,
  validFrom: number,
  claims: Record<string, unknown>,
): CredentialFacts {
  const digest = createHash('sha256').update(`${type} ${issuer.did} ${subject.did}`).digest('hex');
  return {
    digest,
    type,
    issuer: issuer.did,
    subject: subject.did,
    validFrom,
    validUntil: null,
    claims,
    statusStale: false,
  };
}

/** Processor time, ms: what else runs on the machine is not in it. */
function timed(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const each = <T>(list: readonly T[], work: (item: T) => void): number =>
  timed(() => {
    for (const item of list) work(item);
  }) / list.length;
const micro = (ms: number): string => `${(1000 * ms).toFixed(1)} us`;
const milli = (ms: number): string => `${ms.toFixed(1)} ms`;

/**
 * `kith reputation list|show|reset|endorse|unendorse`. Works on the store of the home, whether its node runs or not.
 *
 * @module cli/commands/reputation
 */
import { createInterface } from 'node:readline/promises';
import { InputError, systemClock } from '../../base/index.ts';
import { didOfPeerId, interactionStep, peerIdOf, publicKeyOf, readKey } from '../../identity/index.ts';
import { openTrust, type Tier, type Trust, type TrustScore } from '../../trust/index.ts';
import { parseDuration } from '../duration.ts';
import { UsageError } from '../failure.ts';
import { asTyped, paint, print, printJson, say, table } from '../output.ts';
import { ownIdentity } from '../own-identity.ts';
import type { Handler, Invocation } from '../program.ts';
import { settingsOf } from '../settings.ts';
import { give, openRooms, wireJson } from '../wallet.ts';

const SYMBOLS: Readonly<Record<string, string>> = {
  credentials: 'C',
  endorsements: 'E',
  observations: 'r',
  confidence: 'c',
  rank: 'p',
  moderation: 'M',
  strikes: 'S',
  accountability: 'A',
};
const COLOURS = { unknown: 'dim', known: 'yellow', verified: 'green', trusted: 'green' } as const;

async function withTrust<T>(invocation: Invocation, work: (trust: Trust) => T): Promise<T> {
  const { home } = settingsOf(invocation.options).config;
  // The key's name stands in its file in the clear: looking needs no passphrase, and makes no key.
  const self = (await readKey(home))?.peerId ?? null;
  using trust = openTrust({ home, clock: systemClock, self });
  return work(trust);
}

/** The PeerId of a PeerId or DID. Throws InputError `identity_name_invalid`. */
const peerOf = (arg: unknown): string => peerIdOf(publicKeyOf(String(arg)));

export const list: Handler = async (invocation) => {
  const found = await withTrust(invocation, (trust) =>
    trust.peers().map((peer) => ({ ...peer, score: trust.score(peer.peerId) })),
  );
  found.sort((a, b) => b.score.score - a.score.score || (a.peerId < b.peerId ? -1 : 1));
  if (invocation.options.json) {
    printJson(found.map(({ observations, seen, score }) => ({ ...scoreJson(score), observations, seen })));
    return;
  }
  if (found.length === 0) {
    say('This node has dealt with no peers yet.');
    return;
  }
  const rows = found.map(({ peerId, observations, seen, score }) => [
    peerId,
    score.score.toFixed(3),
    String(observations),
    timeText(seen),
    tierText(score.tier) + (score.quarantineUntil === null ? '' : ', in quarantine'),
  ]);
  print(table([['PEER', 'SCORE', 'OBSERVATIONS', 'SEEN', 'TIER'], ...rows], [1, 2]));
};

export const show: Handler = async (invocation) => {
  const peerId = peerOf(invocation.args[0]);
  const [score, profile] = await withTrust(
    invocation,
    (trust) => [trust.score(peerId), trust.policy.profile] as const,
  );
  if (invocation.options.json) {
    printJson({ ...scoreJson(score), profile, terms: score.terms });
    return;
  }
  print(`${peerId}: ${tierText(score.tier)}, score ${score.score.toFixed(3)}`);
  print(
    `profile default: ${score.tiers.default}, reference: ${score.tiers.reference}; ${profile} is in force`,
  );
  for (const gate of score.gates) print(`gate: ${gate}`);
  if (score.quarantineUntil !== null) print(`in quarantine until ${timeText(score.quarantineUntil)}`);
  print();
  print('score = M * S * A * [C + (1 - C) * 0.35 * (r + (1 - c) * 0.25 * p)]');
  const rows = score.terms.map(({ name, value, detail }) => [
    SYMBOLS[name] ?? '',
    name,
    value.toFixed(3),
    detail,
  ]);
  print(table([['', 'TERM', 'VALUE', 'WHAT IT IS MADE OF'], ...rows], [2]));
};

export const reset: Handler = async (invocation) => {
  const { args, options } = invocation;
  const peerId = peerOf(args[0]);
  const lost = await withTrust(invocation, (trust) => {
    const known = trust.peers().find((peer) => peer.peerId === peerId);
    return { observations: known?.observations ?? 0, before: trust.score(peerId) };
  });
  const strikes = lost.before.terms.find(({ name }) => name === 'strikes')!.detail;
  say(
    `${peerId}: ${lost.observations} observations and what it was struck for (${strikes}) will be forgotten.`,
  );
  say('Its credentials and endorsements, which others signed, stay.');
  if (options.yes !== true && !(await isConfirmed())) {
    say('Nothing was forgotten.');
    return 1;
  }
  const { done, after } = await withTrust(invocation, (trust) => ({
    done: trust.reset(peerId),
    after: trust.score(peerId),
  }));
  if (options.json) printJson({ ...scoreJson(after), lost: done });
  else
    print(
      `Forgotten: ${done.observations} observations, ${done.incidents} incidents. Score ${lost.before.score.toFixed(3)}, now ${after.score.toFixed(3)} (${after.tier}).`,
    );
  return 0;
};

export const endorse: Handler = async (invocation) => {
  const { args, options } = invocation;
  const peerId = peerOf(args[0]);
  const identity = await ownIdentity(options);
  if (peerId === identity.peerId) throw new UsageError('A node cannot endorse itself.');
  const count =
    (options.interactions as number | undefined) ?? (await withTrust(invocation, (t) => t.dealings(peerId)));
  const step = interactionStep(count);
  if (step === null) {
    throw new InputError(
      'endorsement_unfounded',
      `This node never dealt with ${peerId}, so it has nothing to endorse. If you did, say how often: --interactions N`,
    );
  }
  const now = systemClock.now();
  const forMs = options.validFor === undefined ? null : parseDuration(String(options.validFor));
  if (options.validFor !== undefined && forMs === null)
    throw new UsageError(
      `'${options.validFor}' is no time for --valid-for; write a number and a unit, such as 30d.`,
    );
  using rooms = openRooms(options);
  const issued = rooms.wallet.issued.issue(identity, {
    type: 'PeerEndorsement',
    subject: didOfPeerId(peerId),
    claims: { interactionCount: step },
    validFrom: now,
    ...(forMs === null ? {} : { validUntil: now + forMs }),
  });
  // Through the same gate as everybody else's.
  const { facts, verdict } = await rooms.verifier.verify(issued.bytes);
  if (facts === null) throw new InputError('endorsement_unfounded', verdict.reason);
  const score = await withTrust(invocation, (trust) => {
    trust.learn(facts);
    return trust.score(peerId);
  });
  if (options.json) {
    printJson({
      digest: issued.digest,
      credential: wireJson(issued.bytes),
      interactions: step,
      ...scoreJson(score),
    });
    return;
  }
  await give(issued.bytes, options);
  say(
    asTyped(
      `Peers that connect to this node learn of it. For others hand it to ${peerId}, whose owner takes it with: kith identity import-vc FILE --publish. Misconduct while you endorse it costs this node's own score; end it with: kith reputation unendorse ${peerId}`,
    ),
  );
};

export const unendorse: Handler = async (invocation) => {
  const peerId = peerOf(invocation.args[0]);
  const { until, score } = await withTrust(invocation, (trust) => ({
    until: trust.unendorse(peerId),
    score: trust.score(peerId),
  }));
  if (until === null) {
    throw new InputError(
      'endorsement_not_found',
      `This node does not endorse ${peerId}. Those that it endorsed: kith identity list-vcs --issued`,
    );
  }
  if (invocation.options.json) printJson({ ...scoreJson(score), others_until: until });
  else
    print(
      `This node no longer endorses ${peerId}. Others may count the endorsement until ${timeText(until)}.`,
    );
};

function scoreJson({ peerId, score, tier, tiers, gates, quarantineUntil }: TrustScore) {
  return { peer_id: peerId, score, tier, tiers, gates, quarantine_until: quarantineUntil };
}

async function isConfirmed(): Promise<boolean> {
  if (!process.stdin.isTTY) {
    say('There is nobody to ask; say --yes to go on.');
    return false;
  }
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await asking.question('Go on? [y/N] ')).trim());
  } finally {
    asking.close();
  }
}

const tierText = (tier: Tier): string => paint(COLOURS[tier], tier);
const timeText = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');

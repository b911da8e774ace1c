/**
 * The terms of a score with the numbers they are made of, for people.
 *
 * @module trust/score/explain
 */
import { COUNTED, DIMENSIONS, type TrustTerm } from '../types.ts';
import { WITNESSES } from './credentials.ts';
import { DAY_MS } from './decay.ts';
import type { Working } from './evaluation.ts';

/** Endorsers that are named one by one. */
const SHOWN = 5;

export function explainTerms(working: Working): TrustTerm[] {
  const { parts } = working;
  return [
    { name: 'credentials', value: parts.credentials, detail: credentialDetail(working) },
    { name: 'endorsements', value: working.endorsements, detail: endorsementDetail(working) },
    { name: 'observations', value: parts.observations, detail: observationDetail(working) },
    {
      name: 'confidence',
      value: parts.confidence,
      detail: parts.confidence === 0 ? 'nothing was observed' : 'of 1: how much was observed',
    },
    {
      name: 'rank',
      value: parts.rank,
      detail:
        parts.rank === 0 ? 'no endorsements lead to it from the roots' : 'half is usual among Verified peers',
    },
    {
      name: 'moderation',
      value: parts.moderation,
      detail: moderationDetail(working),
    },
    { name: 'strikes', value: parts.strikes, detail: strikeDetail(working) },
    { name: 'accountability', value: parts.accountability, detail: lossDetail(working) },
  ];
}

function credentialDetail({ credentialParts, endorsements, witnesses, ended, times }: Working): string {
  const parts = credentialParts.map(({ type, credential, adds }) => {
    const of = type === 'Throughput' ? `, ${Math.min(witnesses, WITNESSES)} of ${WITNESSES} witnesses` : '';
    return `${type} ${figure(adds)} (${days(times.wall - credential.validFrom)} old${of})`;
  });
  if (endorsements > 0) parts.push(`endorsements ${figure(0.05 * endorsements)}`);
  const gone = ended
    .slice(0, SHOWN)
    .map(({ type, issuer, at }) => `${type} revoked by ${issuer} (learned ${days(times.steady - at)} ago)`);
  return [parts.join(', ') || 'none that counts', ...gone].join('; ');
}

function endorsementDetail({ endorserParts }: Working): string {
  if (endorserParts.length === 0) return 'no Verified peer endorses it';
  const named = endorserParts.slice(0, SHOWN).map(({ endorser, adds }) => {
    const { peerId, standing, endorses, accountability, interactions } = endorser;
    return `${peerId} ${figure(adds)} (standing ${figure(standing)}, endorses ${endorses}, accountability ${figure(accountability)}, ${interactions} interactions)`;
  });
  const more = endorserParts.length - named.length;
  return named.join(', ') + (more > 0 ? `, and ${more} more` : '');
}

function observationDetail({ counters }: Working): string {
  const parts = DIMENSIONS.flatMap((dimension) => {
    const counter = counters[dimension];
    if (counter === undefined) return [];
    const n = counter.good + counter.bad;
    return n < 0.005 ? [] : [`${dimension} ${percent(counter.good / n)} of ${n.toFixed(1)}`];
  });
  return parts.join(', ') || 'none';
}

function moderationDetail({ counters, bad }: Working): string {
  const parts = COUNTED.flatMap((dimension) => {
    const counter = counters[dimension];
    if (counter === undefined || counter.good + counter.bad < 0.005) return [];
    const n = counter.good + counter.bad;
    if (dimension === 'conduct') return [`broke the rules of the wire ${n.toFixed(1)} times`];
    return counter.bad < 0.005 ? [] : [`${dimension} ${counter.bad.toFixed(1)} of ${n.toFixed(1)}`];
  });
  const nothing = COUNTED.every((dimension) => counters[dimension] === undefined);
  if (nothing) return 'nothing was observed';
  return `${percent(bad)} of what was observed is bad${parts.length === 0 ? '' : `: ${parts.join(', ')}`}`;
}

function strikeDetail({ incidents, quarantineUntil, times }: Working): string {
  if (incidents.length === 0) return 'no incidents';
  const newest = [...incidents].sort((a, b) => b.at - a.at);
  const named = newest.slice(0, SHOWN).map(({ kind, at }) => `${kind} ${days(times.steady - at)} ago`);
  const more = newest.length > SHOWN ? `, and ${newest.length - SHOWN} more` : '';
  const until =
    quarantineUntil === null
      ? ''
      : `; in quarantine for ${Math.ceil((quarantineUntil - times.steady) / DAY_MS)} more days`;
  return named.join(', ') + more + until;
}

function lossDetail({ losses, times }: Working): string {
  if (losses.length === 0) return 'no peer that it endorses was struck';
  const named = losses
    .slice(0, SHOWN)
    .map(({ endorsee, at, endorsed }) => `${endorsee} ${days(times.steady - at)} ago (1 of ${endorsed})`);
  const more = losses.length > SHOWN ? `, and ${losses.length - SHOWN} more` : '';
  return `struck while it endorsed them: ${named.join(', ')}${more}`;
}

const figure = (value: number): string => value.toFixed(3);
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const days = (ms: number): string => `${Math.max(0, Math.floor(ms / DAY_MS))} d`;

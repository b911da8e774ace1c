/**
 * The terms of a request, as its headers state them: privacy, route, cache, redundancy, regions, cost, what may stand in
 * for an answer.
 *
 * @module server/http/terms
 */
import type { IncomingHttpHeaders } from 'node:http';
import { InputError, KithError, TIERS } from '../../base/index.ts';
import {
  CACHE_WISHES,
  DEGRADATIONS,
  MAX_HOPS,
  OWN_TERMS,
  PRIVACY_LEVELS,
  ROUTE_WISHES,
  type Terms,
} from '../../gateway/index.ts';
import type { Caller } from '../types.ts';

/** Every header that states a term, with what it may say: the API document is made from it. */
export const termHeaders = {
  'x-kith-privacy': `The request's privacy level, never weaker than the owner's: ${PRIVACY_LEVELS.join(', ')}.`,
  'x-kith-route': `Which models may answer: ${ROUTE_WISHES.join(', ')}.`,
  'x-kith-cache': `Which kept answers are good enough: ${CACHE_WISHES.join(', ')}.`,
  'x-kith-degrade': `What may stand in when no backend answers: ${DEGRADATIONS.join(', ')}.`,
  'x-kith-redundancy': 'Backends asked side by side, 1 to 3.',
  'x-kith-decide': 'Which of several answers counts: first, agreement.',
  'x-kith-regions': 'Regions in which it may be answered, separated by commas.',
  'x-kith-min-tier': `Lowest trust tier of a peer that may see it: ${TIERS.join(', ')}.`,
  'x-kith-max-latency-ms': 'Round trip and queue of a peer that may answer it, ms.',
  'x-kith-pledge': 'true: only peers whose operator gave the FiduciaryPledge may see it.',
  'x-kith-max-cost': "Money that it may cost, in the unit of the owner's prices.",
  'x-kith-conversation': 'Name of the conversation, so that it keeps its model and backend.',
  'x-kith-hops': `Nodes that the request has passed, set by nodes; more than ${MAX_HOPS} get 508 loop_detected.`,
} as const;
type TermHeader = keyof typeof termHeaders;

const names = Object.keys(termHeaders) as TermHeader[];

/** @throws InputError that names the header and what it may say; KithError `loop_detected` (508) */
export function termsOf(headers: IncomingHttpHeaders, caller: Caller): Terms {
  const locale = localeOf(headers['accept-language']);
  const states = names.some((name) => headers[name] !== undefined);
  if (!states && locale === null && caller.key === null && caller.agent === null) return OWN_TERMS;
  const base = { ...OWN_TERMS, tenant: caller.key ?? OWN_TERMS.tenant, agent: caller.agent, locale };
  if (!states) return base;
  return {
    ...base,
    privacy: oneOf(headers, 'x-kith-privacy', PRIVACY_LEVELS),
    route: oneOf(headers, 'x-kith-route', ROUTE_WISHES),
    cache: oneOf(headers, 'x-kith-cache', CACHE_WISHES),
    degrade: oneOf(headers, 'x-kith-degrade', DEGRADATIONS),
    decide: oneOf(headers, 'x-kith-decide', ['first', 'agreement'] as const),
    redundancy: numberOf(headers, 'x-kith-redundancy', 'a whole number from 1 to 3', (value) =>
      [1, 2, 3].includes(value),
    ),
    maxCost: numberOf(headers, 'x-kith-max-cost', 'a number from 0 on', (value) => value >= 0),
    regions: regionsOf(headers),
    minTier: oneOf(headers, 'x-kith-min-tier', TIERS),
    maxLatencyMs: numberOf(headers, 'x-kith-max-latency-ms', 'a number from 0 on', (value) => value >= 0),
    pledge: pledgeOf(headers),
    conversation: conversationOf(headers),
    hops: hopsOf(headers),
  };
}

function textOf(headers: IncomingHttpHeaders, name: TermHeader): string | null {
  const value = headers[name];
  if (value === undefined) return null;
  const text = Array.isArray(value) ? value.join(',') : value;
  return text.trim();
}

function refused(name: TermHeader, value: string, allowed: string): InputError {
  return new InputError(
    'invalid_header',
    `${name} is ${JSON.stringify(value.slice(0, 100))}; allowed: ${allowed}.`,
    {
      param: name,
    },
  );
}

function oneOf<const T extends string>(
  headers: IncomingHttpHeaders,
  name: TermHeader,
  values: readonly T[],
): T | null {
  const text = textOf(headers, name);
  if (text === null) return null;
  const found = values.find((value) => value === text.toLowerCase());
  if (found === undefined) throw refused(name, text, values.join(', '));
  return found;
}

function numberOf(
  headers: IncomingHttpHeaders,
  name: TermHeader,
  allowed: string,
  accepts: (value: number) => boolean,
): number | null {
  const text = textOf(headers, name);
  if (text === null) return null;
  const value = /^\d{1,12}(\.\d{1,12})?$/.test(text) ? Number(text) : Number.NaN;
  if (!accepts(value)) throw refused(name, text, allowed);
  return value;
}

function regionsOf(headers: IncomingHttpHeaders): readonly string[] | null {
  const text = textOf(headers, 'x-kith-regions');
  if (text === null) return null;
  const regions = text.split(',').map((region) => region.trim());
  if (regions.length > 32 || !regions.every((region) => /^[\w.-]{1,64}$/.test(region)))
    throw refused(
      'x-kith-regions',
      text,
      'up to 32 names of letters, digits, ., _ and -, separated by commas',
    );
  return regions;
}

function pledgeOf(headers: IncomingHttpHeaders): boolean | null {
  const word = oneOf(headers, 'x-kith-pledge', ['true', 'false']);
  return word === null ? null : word === 'true';
}

function conversationOf(headers: IncomingHttpHeaders): string | null {
  const text = textOf(headers, 'x-kith-conversation');
  if (text === null) return null;
  if (!/^[\x21-\x7e]{1,120}$/.test(text))
    throw refused('x-kith-conversation', text, '1 to 120 visible ASCII characters');
  return text;
}

function hopsOf(headers: IncomingHttpHeaders): number {
  const hops = numberOf(headers, 'x-kith-hops', 'a whole number from 0 on', Number.isInteger) ?? 0;
  if (hops > MAX_HOPS)
    throw new KithError(
      'loop_detected',
      `The request has passed ${hops} nodes, more than ${MAX_HOPS}: nodes that are each other's backends send it round. Take one of them out of the other's configuration.`,
      { status: 508, param: 'x-kith-hops' },
    );
  return hops;
}

/** The language that the client names first (RFC 9110, 12.5.4); null when it names none, or none that has that form. */
function localeOf(value: string | undefined): string | null {
  if (value === undefined) return null;
  const first = value.slice(0, 100).split(/[,;]/, 1)[0]!.trim();
  return /^[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}$/i.test(first) ? first : null;
}

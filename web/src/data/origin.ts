/**
 * Where an answer came from, and who may have seen the question on the way, as far as its receipt tells.
 *
 * @module web/data/origin
 */
import type { Answer } from './archive.ts';
import type { Attempt } from './receipt.ts';

/** The backend of this machine's own engine, as receipts name it. */
export const localBackend = 'local';

/**
 * - `local`: this machine's engine; `here`: another program on this machine
 * - `owned`, `peer`, `provider`: another machine of the reader, a peer, somebody else; `elsewhere`: where is not known
 * - `kept`, `similar`, `shared`, `stale`: not made for this question, see `CacheStatus` of the node
 * - `search`, `stand_in`: no model's answer
 */
export type OriginKind =
  | 'local'
  | 'here'
  | 'owned'
  | 'peer'
  | 'provider'
  | 'elsewhere'
  | 'kept'
  | 'similar'
  | 'shared'
  | 'stale'
  | 'search'
  | 'stand_in'
  | 'unknown';

export interface Origin {
  readonly kind: OriginKind;
  readonly backend: string | null;
  readonly model: string | null;
  /** ms since a kept answer was made, when it was given; null = it was made for this question, or nobody knows. */
  readonly ageMs: number | null;
}

export function originOf(answer: Answer): Origin {
  const { receipt } = answer;
  const backend = receipt?.backend ?? answer.backend;
  const cache = receipt?.route?.cache ?? null;
  return {
    kind: kindOf(answer, backend),
    backend,
    model: receipt?.model ?? answer.model,
    ageMs: cache !== null && cache.status !== 'shared' ? cache.age_ms : null,
  };
}

function kindOf({ receipt, step: begun }: Answer, backend: string | null): OriginKind {
  const step = receipt?.route?.step ?? begun ?? null;
  if (step === null) return backend === localBackend ? 'local' : 'unknown';
  if (step === 'local' || step === 'stale' || step === 'search') return step;
  if (step === 'explanation' || step === 'crisis') return 'stand_in';
  if (step === 'cache') {
    const status = receipt?.route?.cache?.status;
    return status === 'similar' || status === 'shared' ? status : 'kept';
  }
  const where = receipt?.route?.privacy.where;
  if (where === 'this_machine') return 'here';
  if (where === 'owned' || where === 'peer' || where === 'provider') return where;
  if (step === 'peer' || step === 'swarm') return 'peer';
  return backend === null ? 'unknown' : 'elsewhere';
}

/** True when the answer was computed for this question. */
export const isFresh = ({ kind }: Origin): boolean =>
  ['local', 'here', 'owned', 'peer', 'provider', 'elsewhere'].includes(kind);

/** Tokens per second of decoding: the first token's time belongs to reading the question. Null = unknown. */
export function speedOf(answer: Answer): number | null {
  const { receipt, usage } = answer;
  // A kept answer has the times of its first making.
  if (!receipt?.decode_ms || !usage || usage.completion_tokens < 2 || !isFresh(originOf(answer))) return null;
  return ((usage.completion_tokens - 1) / receipt.decode_ms) * 1000;
}

/** `replaced`: without what was replaced; `maybe`: it was asked and failed, and did not say how far it came. */
export type Saw = 'yes' | 'replaced' | 'maybe' | 'no' | 'once' | 'similar' | 'unknown';

export interface Witness {
  readonly backend: string;
  readonly words: Saw;
  /** Ran a model on them. */
  readonly ran: Saw;
}

/** Codes of failures before a byte of the request was sent. */
const neverSent = new Set([
  'upstream_connect_failed',
  'upstream_timeout_connect',
  'upstream_closed',
  'not_supported',
]);
const began = new Set(['answered', 'cut', 'stalled', 'lost', 'running']);

function sawOf({ outcome, code, first_token_ms: first }: Attempt): Saw {
  if (outcome === 'skipped' || (code !== null && neverSent.has(code))) return 'no';
  return began.has(outcome) || first !== null ? 'yes' : 'maybe';
}

const rank: readonly Saw[] = ['no', 'maybe', 'replaced', 'yes'];
const more = (one: Saw, other: Saw): Saw => (rank.indexOf(other) > rank.indexOf(one) ? other : one);

/** Who beside this machine's engine may have seen something, in the order in which they were asked. */
export function witnessesOf(answer: Answer): readonly Witness[] {
  const origin = originOf(answer);
  const { route } = answer.receipt ?? {};
  const seen = new Map<string, Witness>();
  for (const attempt of route?.attempts ?? []) {
    if (attempt.backend === localBackend) continue;
    const words = sawOf(attempt);
    const before = seen.get(attempt.backend);
    seen.set(attempt.backend, {
      backend: attempt.backend,
      words: more(before?.words ?? 'no', words),
      ran: more(before?.ran ?? 'no', words),
    });
  }
  const { kind, backend } = origin;
  if (backend === null || backend === localBackend || kind === 'local' || kind === 'unknown')
    return [...seen.values()];
  if (kind === 'stand_in') return [...seen.values()];
  const hidden = (route?.privacy.replaced?.length ?? 0) > 0;
  const where = route?.privacy.where ?? null;
  if (kind === 'search') {
    const words = where === null ? 'unknown' : where === 'this_machine' ? 'no' : hidden ? 'replaced' : 'yes';
    seen.set(backend, { backend, words, ran: 'no' });
  } else if (kind === 'kept' || kind === 'shared' || kind === 'stale')
    seen.set(backend, { backend, words: 'once', ran: 'once' });
  else if (kind === 'similar') seen.set(backend, { backend, words: 'similar', ran: 'once' });
  else {
    // Hidden states went there, from which most words can be got back, though of no use by themselves.
    const words = answer.receipt?.path !== undefined ? 'maybe' : hidden ? 'replaced' : 'yes';
    seen.set(backend, { backend, words, ran: 'yes' });
  }
  return [...seen.values()];
}

/** True when nothing of the question left this machine's own engine, as far as the receipt tells. */
export function stayedHere(answer: Answer): boolean {
  return originOf(answer).kind === 'local' && witnessesOf(answer).every(({ words }) => words === 'no');
}

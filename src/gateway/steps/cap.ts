/**
 * Holds an answer to the money that its request may cost (`x-kith-max-cost`): by the number of its tokens.
 *
 * @module gateway/steps/cap
 */
import { KithError } from '../../base/index.ts';
import type { Candidate } from '../policy/index.ts';
import type { Backend, ChatEvent, ChatRequest, CompletionRequest } from '../types.ts';
import type { Plan } from './plan.ts';

/** The plan's estimate of the prompt is rather too low; a limit wants one that is rather too high. */
const safety = 2;

/**
 * The candidates with their answers capped; those that could not even read the prompt for the money are left out.
 *
 * @throws KithError `budget_exceeded` (429) when none is left
 */
export function cappedCandidates(
  plan: Plan,
  candidates: readonly Candidate[],
  choices: number,
): readonly Candidate[] {
  const { maxCost, redundancy } = plan.wishes;
  if (maxCost === null) return candidates;
  const share = maxCost / redundancy;
  const capped = candidates.flatMap((candidate) => {
    const tokens = tokensFor(share, candidate, plan.needs.promptTokens ?? 0);
    if (tokens === null) return [candidate];
    const each = Math.floor(tokens / choices);
    return each < 1 ? [] : [{ ...candidate, backend: capping(candidate.backend, each, maxCost) }];
  });
  if (capped.length > 0) return capped;
  throw new KithError(
    'budget_exceeded',
    `No backend answers this request for ${maxCost} (x-kith-max-cost): its prompt alone may cost that. Allow more, or name a cheaper model.`,
    { status: 429, param: 'x-kith-max-cost' },
  );
}

/** Tokens of an answer that the money is enough for; null = any number. */
function tokensFor(money: number, { price }: Candidate, promptTokens: number): number | null {
  if (price === null || price.completion === 0) return null;
  const left = money - (safety * promptTokens * price.prompt) / 1e6;
  return Math.floor((left / price.completion) * 1e6);
}

function capping(backend: Backend, maxTokens: number, maxCost: number): Backend {
  const within = <R extends ChatRequest | CompletionRequest>(request: R): R => ({
    ...request,
    maxTokens: Math.min(request.maxTokens ?? maxTokens, maxTokens),
  });
  const note = `The answer was held to ${maxTokens} tokens, which is what ${maxCost} pays for (x-kith-max-cost).`;
  async function* noted(events: AsyncIterable<ChatEvent>, cut: boolean): AsyncGenerator<ChatEvent> {
    for await (const event of events)
      yield event.type === 'usage' && cut
        ? { ...event, receipt: { ...event.receipt, notes: [...event.receipt.notes, note] } }
        : event;
  }
  const isCut = ({ maxTokens: own }: { readonly maxTokens: number | null }) =>
    own === null || own > maxTokens;
  return {
    ...backend,
    chat: (request) => noted(backend.chat(within(request)), isCut(request)),
    complete: (request) => noted(backend.complete(within(request)), isCut(request)),
  };
}

/**
 * Orders of prompts that need no learning, to compare with.
 *
 * @module bench/router/baselines
 */

/** Tiers by keywords, as gateways ship them: hard words raise a prompt, easy ones lower it. The lists are our own. */
const HARD =
  /\b(prove|proof|theorem|derive|derivation|integral|equation|algorithm|complexity|optimi[sz]e|analy[sz]e|evaluate|compare|explain why|step by step|implement|debug|refactor|architecture|design|strategy|hypothesis|probability|calculate|compute)\b/gi;
const EASY =
  /\b(what is|who is|who was|when did|when was|where is|define|definition|list|name|translate|hello|thanks|capital of|which of the following)\b/gi;
const CODE = /```|\b(function|class|import|return|const|def|SELECT)\b|[{};]\s*$/m;

const matches = (text: string, words: RegExp): number => text.match(words)?.length ?? 0;

/** 0 simple, 1 medium, 2 complex, 3 reasoning. */
export function keywordTier(text: string): number {
  const points =
    matches(text, HARD) - matches(text, EASY) + (CODE.test(text) ? 1 : 0) + (text.length > 800 ? 1 : 0);
  return points < 0 ? 0 : points === 0 ? 1 : points < 3 ? 2 : 3;
}

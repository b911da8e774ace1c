/**
 * Tells the node how good an answer was whose model it chose itself, so that it chooses better.
 *
 * @module web/data/feedback
 */
import { save, setAnswer, turnsOf } from './conversations.ts';
import { ask } from './node.ts';

/** Name of the decision that an answer may be judged under; null when the node had nothing to decide. */
export function decisionOf(conversation: string, turn: string): string | null {
  const answer = turnsOf(conversation)?.find(({ id }) => id === turn)?.answer;
  return answer?.receipt?.route?.complexity?.decision ?? null;
}

/** Throws `NodeError`. The node takes one judgement of each answer. */
export async function judge(conversation: string, turn: string, good: boolean): Promise<void> {
  const decision = decisionOf(conversation, turn);
  if (decision === null) return;
  await ask('/kith/v1/feedback', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ decision, good }),
  });
  setAnswer(conversation, turn, { judged: good });
  await save(conversation);
}

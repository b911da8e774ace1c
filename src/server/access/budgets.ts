/**
 * Holds callers to their tokens per minute: prompt and answer together, cached tokens included, and the tokens of
 * embeddings.
 *
 * A request is let in while anything is left and charged as its answer is made, so a long answer can take more than was
 * left; the next request waits until that is made up. An answer that is broken off costs what was sent of it. Where the
 * backend does not say how many tokens it used, four characters are taken for one.
 *
 * @module server/access/budgets
 */
import { LimitError, totalOf } from '../../base/index.ts';
import type { Caller, Observer } from '../types.ts';
import type { Bucket } from './rate.ts';

const tokensIn = (characters: number): number => Math.ceil(characters / 4);

/** @param bucketOf tokens that a caller has left; null when nothing bounds them */
export function tokenBudgets(bucketOf: (caller: Caller) => Bucket | null): Observer {
  return {
    answer({ caller }, _kind, _model, asked) {
      const bucket = bucketOf(caller);
      if (bucket === null) return null;
      const waitMs = bucket.waitMs();
      if (waitMs > 0) {
        throw new LimitError(
          'tokensPerMinute',
          bucket.limit,
          `The ${bucket.limit} tokens per minute of ${caller.key === null ? 'this node (server.tokensPerMinute)' : `key ${caller.key}`} are used up. Try again in ${Math.ceil(waitMs / 1000)} s.`,
          { retryAfter: waitMs / 1000 },
        );
      }
      let charged = 0;
      let said = 0;
      return {
        event(event) {
          if (event.type === 'text' || event.type === 'tool_arguments') {
            bucket.take(1);
            charged++;
            said += event.text.length;
          } else if (event.type === 'usage') {
            const prompt = event.promptTokens ?? tokensIn(asked);
            const answer = event.completionTokens ?? Math.max(charged, tokensIn(said));
            bucket.take(prompt + answer - charged);
            charged = prompt + answer;
          }
        },
        embedded({ tokens }) {
          bucket.take(totalOf(tokens) ?? tokensIn(asked));
        },
        end() {},
      };
    },
  };
}

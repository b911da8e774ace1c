/**
 * The same ask to several backends, and the answer that most of them give.
 *
 * Two answers agree when they are equal but for case and white space, and call the same tools with the same JSON. It is
 * for questions with short, definite answers at temperature 0; two models seldom word a long one alike.
 *
 * @module gateway/resilience/agreement
 */
import { failureOf } from './failure.ts';
import { openWhole, type Whole } from './open.ts';
import { keptCharacters, type Reading } from './reading.ts';
import type { Run } from './run.ts';

export interface Agreed<E, R extends Reading<E>> extends Whole<E, R> {
  /** Backends that were asked side by side. */
  readonly asked: number;
  /** Answers that say the same as this one, itself included. */
  readonly agreed: number;
  /** Answers that came. */
  readonly answers: number;
}

/**
 * Waits until more than half of those asked agree, or all have answered or failed. Without a majority the largest group
 * answers, of equal ones the one whose answer came from the route that the policy put first; the receipt says how many
 * agreed. Throws when no lane got an answer.
 */
export function agree<E, R extends Reading<E>>(run: Run<E, R>, lanes: number): Promise<Agreed<E, R>> {
  return new Promise((resolve, reject) => {
    const answers: { readonly form: string; readonly whole: Whole<E, R> }[] = [];
    const rank = ({ live }: Whole<E, R>): number => run.ask.routes.indexOf(live.route);
    let open = 0;
    let started = 0;
    let over = false;

    function decide(): void {
      const groups = Map.groupBy(answers, ({ form }) => form);
      let best: (typeof answers)[number][] = [];
      for (const group of groups.values()) {
        group.sort((a, b) => rank(a.whole) - rank(b.whole));
        if (group.length > best.length) best = group;
        else if (group.length === best.length && rank(group[0]!.whole) < rank(best[0]!.whole)) best = group;
      }
      if (best.length * 2 <= started && open > 0) return;
      over = true;
      run.lanes = 1;
      const { whole } = best[0]!;
      for (const { whole: other } of best.slice(1)) run.succeed(other.live);
      for (const live of run.live) if (live !== whole.live) run.lose(live);
      run.stopWaiting();
      resolve({ ...whole, asked: started, agreed: best.length, answers: answers.length });
    }

    function start(reason: 'first choice' | 'redundant'): void {
      open++;
      started++;
      run.lanes = open;
      openWhole(run, reason, keptCharacters).then(
        (whole) => {
          if (over) return run.lose(whole.live);
          run.lanes = --open;
          answers.push({ form: whole.live.reading.agreement(), whole });
          decide();
        },
        (error) => {
          run.lanes = --open;
          const filtered = failureOf(error).kind === 'filtered';
          if (over || (open > 0 && !filtered)) return;
          if (answers.length > 0 && !filtered) return decide();
          over = true;
          for (const live of run.live) run.lose(live);
          run.stopWaiting();
          reject(error);
        },
      );
    }

    start('first choice');
    for (let lane = 1; lane < lanes && run.hasUntried; lane++) start('redundant');
  });
}

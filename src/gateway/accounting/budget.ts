/**
 * Budgets: what is spent of each in the period that runs.
 *
 * @module gateway/accounting/budget
 */
import { InputError, KithError, type Logger } from '../../base/index.ts';
import { moneyOf, type Nano, nanoOf } from './money.ts';
import { dayName, periodOf, startOfDay } from './periods.ts';
import type { RowName, StoredRow } from './store.ts';
import type { Amount } from './tally.ts';
import type { Budget, BudgetState } from './types.ts';

/** Share of a budget from which the log warns. */
const WARN_AT = 0.8;
const PERCENT = BigInt(WARN_AT * 100);

export interface RunningBudget {
  readonly budget: Budget;
  readonly name: string;
  /** True when it names a backend or a model: it keeps requests from there, not from everywhere. */
  readonly isOfPlace: boolean;
  /** Of a person or an agent, whoever answers. */
  holds(who: { readonly tenant: string; readonly agent: string }): boolean;
  /** Of all that it names. */
  holdsRow(row: RowName): boolean;
  /** Days of the period that runs, from the first to before the last; null: no such bound. */
  readonly from: number | null;
  readonly to: number | null;
  /** Begins the period that `day` lies in, with nothing spent. False when it runs already. */
  begin(day: number): boolean;
  add(amount: Amount): void;
  /** Adds a row of the period that was recorded before. */
  addStored(row: StoredRow): void;
  readonly isSpent: boolean;
  /** Null: it is not of money. */
  readonly moneyLeft: Nano | null;
  state(): BudgetState;
  /** What a request gets that comes when it is spent. */
  refusal(now: number): KithError;
}

/** Throws `InputError` for a budget that holds nothing. */
export function createBudget(budget: Budget, log: Logger): RunningBudget {
  const { key, agent, backend, model, per } = budget;
  const name = budget.name ?? nameOf(budget);
  if (budget.money === undefined && budget.tokens === undefined)
    throw new InputError(
      'budget_without_limit',
      `The budget '${name}' has neither money nor tokens: give it one.`,
      {
        param: 'budgets',
      },
    );
  const money = budget.money === undefined ? null : nanoOf(budget.money);
  const tokens = budget.tokens ?? null;
  const nearMoney = money === null ? 0n : (money * PERCENT) / 100n;
  const nearTokens = tokens === null ? 0 : tokens * WARN_AT;
  let from: number | null = null;
  let to: number | null = null;
  let begun = false;
  let cost: Nano = 0n;
  let used = 0;
  let unpriced = 0;
  let uncounted = 0;
  const told = { near: false, spent: false, unpriced: false, uncounted: false };

  /** One line of the log for each thing there is to say in a period. */
  function tell(): void {
    const isNear = (money !== null && cost >= nearMoney) || (tokens !== null && used >= nearTokens);
    if (!isNear || told.spent) return;
    const share = Math.max(
      money === null ? 0 : money === 0n ? 1 : Number((cost * 10_000n) / money) / 10_000,
      tokens === null ? 0 : tokens === 0 ? 1 : used / tokens,
    );
    const facts = {
      budget: name,
      per,
      percent: Math.floor(share * 100),
      until: to === null ? null : dayName(to),
    };
    if (share >= 1) log.warn('A budget is spent: its requests are refused.', facts);
    else if (!told.near) log.warn('A budget is nearly spent.', facts);
    told.spent ||= share >= 1;
    told.near = true;
  }

  /** Requests that no limit can hold are told of once in a period. */
  function tellUnknown(): void {
    if (unpriced > 0 && money !== null && !told.unpriced) {
      told.unpriced = true;
      log.warn('A budget of money does not hold requests of unknown price.', { budget: name, per });
    }
    if (uncounted > 0 && tokens !== null && !told.uncounted) {
      told.uncounted = true;
      log.warn('A budget of tokens does not hold requests whose tokens are unknown.', { budget: name, per });
    }
  }

  const holds: RunningBudget['holds'] = (who) =>
    (key === undefined || who.tenant === key) && (agent === undefined || who.agent === agent);

  return {
    budget,
    name,
    isOfPlace: backend !== undefined || model !== undefined,
    holds,
    holdsRow: (row) =>
      holds(row) &&
      (backend === undefined || row.backend === backend) &&
      (model === undefined || row.model === model),
    get from() {
      return from;
    },
    get to() {
      return to;
    },
    begin(day) {
      const period = periodOf(per, day);
      if (begun && period.from === from) return false;
      begun = true;
      ({ from, to } = period);
      cost = 0n;
      used = 0;
      unpriced = 0;
      uncounted = 0;
      Object.assign(told, { near: false, spent: false, unpriced: false, uncounted: false });
      return true;
    },
    add(amount) {
      if (amount.cost === null) unpriced++;
      else cost += amount.cost;
      used += amount.tokens;
      if (amount.uncounted) uncounted++;
      tell();
      if (unpriced + uncounted > 0) tellUnknown();
    },
    addStored({ day, tally }) {
      if ((from !== null && day < from) || (to !== null && day >= to)) return;
      cost += tally.cost;
      used += tally.promptTokens + tally.completionTokens;
      unpriced += tally.unpriced;
      uncounted += tally.uncounted;
      tell();
    },
    get isSpent() {
      return (money !== null && cost >= money) || (tokens !== null && used >= tokens);
    },
    get moneyLeft() {
      return money === null ? null : money > cost ? money - cost : 0n;
    },
    state: () => ({
      name,
      per,
      until: to === null ? null : startOfDay(to),
      money: money === null ? null : { limit: moneyOf(money), spent: moneyOf(cost) },
      tokens: tokens === null ? null : { limit: tokens, spent: used },
      unpriced,
      uncounted,
    }),
    refusal(now) {
      const end = to === null ? null : startOfDay(to);
      // How much it is, and how much others spent of it, is nobody's business but the owner's.
      const when = end === null ? '' : ` It begins anew at ${new Date(end).toISOString().slice(0, 16)}Z.`;
      return new KithError(
        'budget_exceeded',
        `The budget '${name}' is spent.${when} The owner of this node can raise it under \`budgets\` in config.yaml.`,
        {
          status: 429,
          ...(end === null ? {} : { retryAfter: Math.max(1, Math.ceil((end - now) / 1000)) }),
          details: { budget: name },
        },
      );
    },
  };
}

function nameOf({ key, agent, backend, model, per }: Budget): string {
  const of = Object.entries({ key, agent, backend, model }).flatMap(([what, which]) =>
    which === undefined ? [] : [`${what} ${which}`],
  );
  return `${of.length === 0 ? 'all' : of.join(', ')} ${per === 'all' ? 'in all' : `per ${per}`}`;
}

/** `kith usage`: what was used and what it cost. Of the running node, or from its file when it is down. @module cli/commands/usage */
import { formatCount, formatPercent, formatPlural, systemClock } from '../../base/index.ts';
import {
  type BudgetState,
  type Grouping,
  type ReportQuery,
  readReport,
  type UsageSums,
} from '../../gateway/index.ts';
import { ledgerPath } from '../../node/index.ts';
import type { UsageView } from '../../server/index.ts';
import { connect } from '../client.ts';
import { parseDuration } from '../duration.ts';
import { UsageError } from '../failure.ts';
import { paint, plain, print, printJson, table } from '../output.ts';
import type { Handler } from '../program.ts';
import { settingsOf } from '../settings.ts';

const run: Handler = async ({ options }) => {
  const { home } = settingsOf(options).config;
  const query: ReportQuery = {
    by: options.by as Grouping,
    since: dayOf(options.since, '--since'),
    until: dayOf(options.until, '--until'),
  };
  const node = await connect(home);
  const view =
    node === null
      ? readReport(ledgerPath(home), query)
      : await node.call<UsageView>('GET', `/kith/v1/usage?${parametersOf(query)}`);
  // A budget runs in a node: its file alone does not say which there are.
  const budgets = view !== null && 'budgets' in view ? (view as UsageView).budgets : null;
  if (options.json) {
    printJson(view === null ? { ...query, rows: [], more: 0, total: null, budgets } : { ...view, budgets });
    return;
  }
  if (view === null || view.rows.length === 0) print('Nothing was recorded.');
  else {
    const head = [query.by, 'requests', 'prompt', 'cached', 'answer', 'cost', ''];
    const rows = view.rows.map(({ name, ...sums }) => lineOf(nameOf(query.by, name), sums));
    if (view.rows.length > 1) rows.push(lineOf('total', view.total));
    print(table([head, ...rows], [1, 2, 3, 4, 5]));
    if (view.more > 0)
      print(paint('dim', `${formatPlural(view.more, 'row')} more with --json and a narrower time`));
  }
  for (const budget of budgets ?? []) print(budgetLine(budget));
};
export default run;

/** A day as it is, or one so long ago. */
function dayOf(given: unknown, option: string): string | null {
  if (given === undefined) return null;
  const text = String(given);
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return text;
  const ms = parseDuration(text);
  if (ms !== null) return new Date(systemClock.now() - ms).toISOString().slice(0, 10);
  throw new UsageError(
    `'${text}' is no time for ${option}; write a day, such as 2026-11-21, or how long ago it is, such as 7d.`,
  );
}

function parametersOf({ by, since, until }: ReportQuery): URLSearchParams {
  return new URLSearchParams({
    by,
    ...(since === null ? {} : { since }),
    ...(until === null ? {} : { until }),
  });
}

function nameOf(by: Grouping, name: string | null): string {
  if (name !== null) return plain(name);
  return by === 'day' ? 'earlier' : 'none';
}

function lineOf(name: string, sums: UsageSums): string[] {
  const unknown = [
    ...(sums.uncounted > 0 ? [`${formatCount(sums.uncounted)} not counted`] : []),
    ...(sums.unpriced > 0 ? [`${formatCount(sums.unpriced)} without a price`] : []),
  ];
  const counts = [sums.requests, sums.promptTokens, sums.cachedTokens, sums.completionTokens];
  return [name, ...counts.map(formatCount), formatMoney(sums.cost), unknown.join(', ')];
}

/** Two digits after the point from one on, three that count below. */
export function formatMoney(money: number): string {
  if (money === 0) return '0';
  if (money >= 1) return formatCount(Number(money.toFixed(2)));
  return money
    .toFixed(9)
    .replace(/^(0\.0*\d{1,3}).*$/, '$1')
    .replace(/0+$/, '')
    .replace(/\.$/, '');
}

function budgetLine({ name, until, money, tokens }: BudgetState): string {
  const parts = [
    ...(money === null ? [] : [shareOf(money, formatMoney, '')]),
    ...(tokens === null ? [] : [shareOf(tokens, formatCount, ' tokens')]),
  ];
  const end = until === null ? '' : `, until ${new Date(until).toISOString().slice(0, 10)}`;
  return `budget ${plain(name)}: ${parts.join('; ')}${end}`;
}

function shareOf(
  { spent, limit }: { readonly spent: number; readonly limit: number },
  format: (value: number) => string,
  unit: string,
): string {
  const text = `${format(spent)} of ${format(limit)}${unit}${limit > 0 ? ` (${formatPercent(spent / limit)})` : ''}`;
  return spent >= limit
    ? paint('red', `${text}, spent`)
    : spent >= 0.8 * limit
      ? paint('yellow', text)
      : text;
}

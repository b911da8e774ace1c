/** The analysis of the log for people. @module cli/log-analysis/show */
import { formatCount, formatDuration, formatPlural } from '../../base/index.ts';
import type { Quantiles } from '../../server/index.ts';
import { asTyped, paint, plain, table } from '../output.ts';
import type { Analysis, Timings } from './analyse.ts';

/** Rows of each table; --json has them all. */
const maxRows = 15;

export function showAnalysis(analysis: Analysis): string[] {
  const { from, to, lines, broken, requests, refused, engine } = analysis;
  const out: string[] = [];
  const section = (title: string, rows: readonly (readonly string[])[], right: readonly number[] = []) => {
    if (rows.length <= 1) return;
    const shown = rows.slice(0, maxRows + 1).map((row) => row.map(plain));
    out.push('', paint('bold', title), ...table(shown, right).split('\n').map(indent));
    if (rows.length > shown.length)
      out.push(indent(`... and ${rows.length - shown.length} more (--json has all)`));
  };
  out.push(
    from === null ? 'No lines.' : `${from} to ${to}`,
    `${formatPlural(lines, 'line')}${broken > 0 ? `, ${formatCount(broken)} of them broken` : ''}; ${formatPlural(requests, 'request')}, ${formatCount(refused)} refused (429, 503, 529)`,
  );
  section(
    'Requests',
    [
      ['count', 'status', 'route'],
      ...analysis.routes.map(({ count, status, route }) => [formatCount(count), String(status), route]),
    ],
    [0],
  );
  section(
    'Errors',
    [
      ['count', 'newest', 'code'],
      ...analysis.errors.map(({ count, newest, code }) => [formatCount(count), newest, code]),
    ],
    [0],
  );
  for (const [title, rows] of [
    ['Models', analysis.models],
    ['Agents', analysis.agents],
    ['Backends', analysis.backends],
  ] as const)
    section(`${title} (P50 / P95 / P99)`, timingRows(rows), [1]);
  section(
    'Slowest requests',
    [
      ['time', 'took', 'tokens', 'request', 'route'],
      ...analysis.slowest.map(({ time, ms, completionTokens, request, route }) => [
        time,
        formatDuration(ms),
        completionTokens === null ? '' : formatCount(completionTokens),
        request,
        route,
      ]),
    ],
    [1, 2],
  );
  section(
    'Alerts',
    [
      ['fired', 'newest', 'severity', 'rule'],
      ...analysis.alerts.map(({ count, newest, severity, rule }) => [
        formatCount(count),
        newest,
        severity,
        rule,
      ]),
    ],
    [0],
  );
  if (engine.deaths > 0)
    out.push('', `The engine process died ${formatPlural(engine.deaths, 'time')}, last at ${engine.newest}.`);
  if (analysis.suggestions.length > 0) {
    out.push('', paint('bold', 'Suggestions'));
    for (const suggestion of analysis.suggestions) out.push(indent(`- ${plain(asTyped(suggestion))}`));
  }
  return out;
}

const indent = (line: string): string => `  ${line}`;

function timingRows(rows: readonly Timings[]): string[][] {
  const spread = (value: Quantiles | null, show: (one: number) => string) =>
    value === null ? '' : [value.p50, value.p95, value.p99].map(show).join(' / ');
  return [
    ['name', 'answers', 'duration', 'first token', 'tok/s'],
    ...rows.map(({ name, requests, durationMs, timeToFirstTokenMs, tokensPerSecond }) => [
      name,
      formatCount(requests),
      spread(durationMs, formatDuration),
      spread(timeToFirstTokenMs, formatDuration),
      spread(tokensPerSecond, String),
    ]),
  ];
}

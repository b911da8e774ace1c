/** Medians, spreads and tables for benchmarks. @module bench/lib/stats */

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const digits = (value: number) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3));

/** `median (min-max)`. */
export function spread(values: readonly number[]): string {
  if (values.length === 0) return '-';
  return `${digits(median(values))} (${digits(Math.min(...values))}-${digits(Math.max(...values))})`;
}

/** Ratio round by round, so that a drift of the machine's speed cancels. */
export function ratios(ours: readonly number[], theirs: readonly number[], higherIsBetter = true): number[] {
  return ours
    .slice(0, theirs.length)
    .map((value, i) => (higherIsBetter ? value / theirs[i]! : theirs[i]! / value));
}

/** A Markdown table with aligned columns. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, i) => Math.max(cell.length, ...rows.map((row) => (row[i] ?? '').length)));
  const line = (cells: readonly string[]) =>
    `| ${widths.map((w, i) => (cells[i] ?? '').padEnd(w)).join(' | ')} |`;
  return [line(head), `|${widths.map((w) => '-'.repeat(w + 2)).join('|')}|`, ...rows.map(line)].join('\n');
}

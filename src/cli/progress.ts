/**
 * Progress of long operations on stderr: a bar with rate and time left on a terminal, a plain line per step
 * elsewhere.
 *
 * @module cli/progress
 */
import { formatByteRate, formatBytes, formatDuration, formatPercent } from '../base/index.ts';
import type { Progress } from '../models/index.ts';

const barWidth = 24;
/** Redraws are at least this far apart, ms. */
const redrawMs = 80;
/** Without a terminal, a line for every such step of the whole. */
const plainStep = 0.25;

const verbs: Readonly<Record<Progress['phase'], string>> = {
  resolve: 'finding',
  download: 'downloading',
  place: 'placing',
  verify: 'verifying',
  convert: 'converting',
  load: 'loading',
};

export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface ProgressView {
  update(label: string, progress: Progress): void;
  /** Removes the bar. Call before anything else is written. */
  clear(): void;
}

export function progressLine(label: string, progress: Progress, columns: number): string {
  const { phase, doneBytes, totalBytes, rate, eta } = progress;
  const parts = [`${verbs[phase]} ${label}`];
  if (totalBytes !== null && totalBytes > 0) {
    const part = Math.min(1, doneBytes / totalBytes);
    const full = Math.round(part * barWidth);
    parts.push(`${'█'.repeat(full)}${'░'.repeat(barWidth - full)}`);
    parts.push(formatPercent(part), `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`);
  } else if (doneBytes > 0) parts.push(formatBytes(doneBytes));
  if (rate !== null) parts.push(formatByteRate(rate));
  if (eta !== null && eta > 0) parts.push(`${formatDuration(eta * 1000)} left`);
  return parts.join('  ').slice(0, Math.max(20, columns - 1));
}

export function createProgress(
  stream: ProgressStream = process.stderr,
  now: () => number = () => performance.now(),
): ProgressView {
  let drawn = false;
  let lastDraw = Number.NEGATIVE_INFINITY;
  let lastStep = '';
  const clear = () => {
    if (drawn) stream.write('\r\u001b[K');
    drawn = false;
  };
  return {
    clear,
    update(label, progress) {
      const { phase, doneBytes, totalBytes } = progress;
      const done = totalBytes !== null && doneBytes >= totalBytes;
      if (stream.isTTY) {
        if (!done && now() - lastDraw < redrawMs) return;
        lastDraw = now();
        stream.write(`\r${progressLine(label, progress, stream.columns || 80)}\u001b[K`);
        drawn = true;
        return;
      }
      const quick = phase === 'load' || phase === 'verify';
      const part = totalBytes && !quick ? Math.floor(Math.min(1, doneBytes / totalBytes) / plainStep) : 0;
      const step = `${label} ${phase} ${part}`;
      if (step === lastStep) return;
      lastStep = step;
      const amount =
        totalBytes && doneBytes > 0 && !quick
          ? ` ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`
          : '';
      stream.write(`${verbs[phase]} ${label}${amount}\n`);
    },
  };
}

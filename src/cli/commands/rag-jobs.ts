/** Jobs of knowledge bases on a terminal: followed to their end, and listed. @module cli/commands/rag-jobs */
import { formatBytes, formatCount, formatDuration, formatPercent, formatPlural } from '../../base/index.ts';
import type { JobView } from '../../server/index.ts';
import { exitCode } from '../failure.ts';
import { onInterrupt } from '../interrupt.ts';
import { asTyped, paint, plain, print, say, table } from '../output.ts';
import type { RagDesk } from '../rag-desk.ts';

const BAR = 24;
const isOver = ({ state }: JobView): boolean => state !== 'waiting' && state !== 'running';

/**
 * Shows how far a job is until it is over. Ctrl-C ends a job that runs here, and leaves one of the node to the node.
 *
 * @returns the job as it was last seen
 */
export async function follow({ desk, isHere }: RagDesk, job: JobView): Promise<JobView> {
  using interrupt = onInterrupt();
  const { signal } = interrupt;
  const left = new Promise<null>((resolve) => {
    signal.addEventListener('abort', () => resolve(null), { once: true });
  });
  const bar = createBar();
  let now = job;
  try {
    while (!isOver(now)) {
      bar.draw(now);
      const next = await Promise.race([desk.job(now.kb, now.id, now.step, signal), left]);
      if (next !== null) now = next;
      else if (isHere) now = await desk.cancel(now.kb, now.id);
      else break;
    }
  } finally {
    bar.clear();
  }
  return now;
}

const DOING: Readonly<Record<JobView['kind'], string>> = {
  ...{ ingest: 'taking in', sync: 'taking in', rebuild: 'embedding', dream: 'dreaming', export: 'writing' },
  vault: 'placing',
};
const UNITS: Readonly<Record<JobView['kind'], string>> = {
  ...{ ingest: 'file', sync: 'file', rebuild: 'chunk', dream: 'step', export: 'part' },
  vault: 'part',
};

function createBar() {
  const { stderr } = process;
  let drawn = false;
  return {
    draw({ kind, what, progress: { totals, of } }: JobView): void {
      if (!stderr.isTTY) return;
      const isCut = kind === 'rebuild' && what === 'passages';
      const isEmbedded = kind === 'rebuild' && !isCut;
      const done = isEmbedded ? totals.embedded : totals.done + totals.skipped + totals.failed;
      const isFetched = kind === 'vault' && what === 'from what peers keep';
      const parts = [isCut ? 'cutting anew' : isFetched ? 'fetching' : DOING[kind]];
      if (of !== null && of > 0) {
        const full = Math.round(Math.min(1, done / of) * BAR);
        parts.push(
          `${'█'.repeat(full)}${'░'.repeat(BAR - full)}`,
          formatPercent(Math.min(1, done / of)),
          `${formatCount(done)} of ${formatPlural(of, isCut ? 'file' : UNITS[kind])}`,
        );
      }
      if (isFetched) parts.push(formatBytes(totals.bytes));
      // Looked at and not yet in: a long file is on its way for minutes.
      if (totals.files > done) parts.push(`${formatCount(totals.files - done)} begun`);
      if (!isEmbedded && totals.embedded > 0)
        parts.push(`${formatPlural(totals.embedded, 'chunk')} embedded`);
      const line = parts.join('  ').slice(0, Math.max(20, (stderr.columns || 80) - 1));
      stderr.write(`\r${line}\u001b[K`);
      drawn = true;
    },
    clear(): void {
      if (drawn) stderr.write('\r\u001b[K');
      drawn = false;
    },
  };
}

export function codeOf(jobs: readonly JobView[]): number {
  if (jobs.some(({ state }) => state === 'failed' || state === 'cancelled')) return exitCode.failure;
  return jobs.some(({ progress }) => progress.failures.length > 0) ? exitCode.degraded : exitCode.ok;
}

/** What a job came to, in a few lines. */
export function tell(job: JobView): void {
  const { kb, kind, what, state, error, progress } = job;
  const { totals, renamed, removed, failures } = progress;
  if (!isOver(job)) {
    say(asTyped(`The node goes on with it. How far it is: kith rag jobs ${kb}`));
    return;
  }
  if (kind === 'rebuild')
    print(
      `${totals.done > 0 ? `${formatPlural(totals.done, 'file')} cut anew, ` : ''}${formatPlural(totals.embedded, 'vector')} made in ${formatDuration(totals.elapsedMs)}`,
    );
  else if (kind === 'export') {
    const { notes, copy } = progress;
    if (notes !== undefined) print(`${plain(what)}: ${formatPlural(notes.written, 'note')} written`);
    else if (copy !== undefined) print(`${plain(what)}: ${formatBytes(copy.bytes)} written`);
  } else {
    const parts = [
      `${formatPlural(totals.done, 'file')} taken in (${formatBytes(totals.bytes)}, ${formatPlural(totals.chunks, 'chunk')})`,
      ...(totals.skipped > 0 ? [`${formatCount(totals.skipped)} unchanged`] : []),
      ...(renamed > 0 ? [`${formatCount(renamed)} moved`] : []),
      ...(removed > 0 ? [`${formatCount(removed)} removed`] : []),
      ...(totals.failed > 0 ? [`${formatCount(totals.failed)} failed`] : []),
    ];
    print(`${plain(what)}: ${parts.join(', ')}, in ${formatDuration(totals.elapsedMs)}`);
  }
  for (const { path, message } of failures.slice(0, 10))
    say(
      `${paint('yellow', kind === 'export' ? 'left:' : 'failed:', process.stderr)} ${plain(path)}: ${plain(message)}`,
    );
  if (failures.length > 10 && kind !== 'rebuild') say(asTyped(`All of them: kith rag docs ${kb} --failed`));
  if (state === 'cancelled')
    say(
      kind === 'export'
        ? 'It was ended before its time. Say it again: it goes on with what is missing.'
        : 'It was ended before its time; what was taken in stays.',
    );
  if (error !== null) say(`${paint('red', 'error:', process.stderr)} ${asTyped(plain(error.message))}`);
}

export function jobTable(jobs: readonly JobView[]): string {
  const rows = jobs.map(({ id, kind, state, stalled, what, progress: { totals, of }, error, made }) => [
    String(id),
    new Date(made).toISOString().slice(0, 16).replace('T', ' '),
    kind,
    stalled ? 'stopped' : state,
    `${formatCount(kind === 'rebuild' ? totals.embedded : totals.done + totals.skipped)}${of === null ? '' : ` of ${formatCount(of)}`}`,
    formatCount(totals.failed),
    plain(error === null ? what : `${what}: ${error.message}`),
  ]);
  return table([['JOB', 'SINCE (UTC)', 'KIND', 'STATE', 'DONE', 'FAILED', 'WHAT'], ...rows], [0, 4, 5]);
}

/** How a knowledge base is cut, and what a sync would do, on a terminal. @module cli/commands/rag-upkeep */
import { formatBytes, formatCount, formatPlural } from '../../base/index.ts';
import type { ChunkOptions } from '../../knowledge/index.ts';
import type { ChunkingOrder, ChunkingView, SyncOrder, SyncPlanView } from '../../server/index.ts';
import { exitCode, UsageError } from '../failure.ts';
import { onInterrupt } from '../interrupt.ts';
import { asTyped, paint, plain, print, printJson, say } from '../output.ts';
import type { Handler, Invocation } from '../program.ts';
import { withRag } from '../rag-desk.ts';

/** What the options say of chunks; null when they say nothing. */
export function chunkingGiven({
  chunkStrategy,
  chunkSize,
  chunkOverlap,
}: Invocation['options']): ChunkOptions | null {
  const given: ChunkOptions = {
    ...(chunkStrategy === undefined
      ? {}
      : { strategy: chunkStrategy as NonNullable<ChunkOptions['strategy']> }),
    ...(chunkSize === undefined ? {} : { size: Number(chunkSize) }),
    ...(chunkOverlap === undefined ? {} : { overlap: Number(chunkOverlap) }),
  };
  return Object.keys(given).length === 0 ? null : given;
}

/** In a table: `sentences, 200`. */
export const chunkingShort = ({ strategy, size }: Required<ChunkOptions>): string => `${strategy}, ${size}`;

/** `sentences up to 200 tokens, 1 repeated`. */
export function chunkingText({ strategy, size, overlap }: Required<ChunkOptions>): string {
  const unit = strategy === 'fixed' ? 'words up to' : `${strategy} up to`;
  return `${unit} ${formatPlural(size, 'token')}${overlap === 0 ? '' : `, ${formatPlural(overlap, 'sentence')} repeated`}`;
}

export const chunking: Handler = async ({ args, options }) => {
  const name = String(args[0]);
  const given = chunkingGiven(options);
  if (options.reset && given !== null)
    throw new UsageError('--reset goes without the other options: it takes back all of them.');
  const order: ChunkingOrder | null = options.reset ? { strategy: null, size: null, overlap: null } : given;
  const view = await withRag(options, ({ desk }) =>
    order === null ? desk.upkeep.chunking(name) : desk.upkeep.setChunking(name, order),
  );
  if (options.json) printJson(view);
  else tellChunking(name, view);
};

export function tellChunking(name: string, view: ChunkingView): void {
  const { own, window, stale } = view;
  print(`${name} is cut into ${chunkingText(view)}`);
  say(own.length === 0 ? 'As the settings of the node say.' : `Of its own: ${own.join(', ')}.`);
  if (window !== null && view.size > window)
    say(`Its embedding model reads ${formatPlural(window, 'token')}, and no chunk gets longer.`);
  if (stale > 0)
    say(
      asTyped(
        `${formatPlural(stale, 'document')} ${stale === 1 ? 'is' : 'are'} cut otherwise, until ${stale === 1 ? 'its file is' : 'their files are'} synced or rebuilt: kith rag rebuild ${name} --chunks`,
      ),
    );
}

/** `kith rag sync NAME [FOLDER] --dry-run`: exit code 3 when something could not be read. */
export async function syncPlan({ args, options }: Invocation, order: SyncOrder): Promise<number> {
  using interrupt = onInterrupt();
  const plans = await withRag(options, ({ desk }) =>
    desk.upkeep.preview(String(args[0]), order, interrupt.signal),
  );
  if (options.json) printJson(plans);
  else for (const plan of plans) tellPlan(plan);
  return plans.some(({ unreadable }) => unreadable.count > 0) ? exitCode.degraded : exitCode.ok;
}

/** Lines of each kind; `--json` has more. */
const SHOWN = 50;

function tellPlan(plan: SyncPlanView): void {
  const { folder, under, unchanged, added, changed, recut, renamed, removed, ignored, unreadable } = plan;
  type Kind = { readonly count: number; readonly bytes: number };
  const kind = (
    { count, bytes }: Kind,
    name: string,
    colour: Parameters<typeof paint>[0],
    lines: readonly string[],
  ): void => {
    if (count === 0) return;
    const size = bytes > 0 ? ` (${formatBytes(bytes)})` : '';
    print(`${paint(colour, name)}: ${formatPlural(count, 'file')}${size}`);
    for (const line of lines.slice(0, SHOWN)) print(`  ${line}`);
    if (count > SHOWN)
      print(`  and ${formatCount(count - SHOWN)} more (--json names ${formatCount(lines.length)})`);
  };
  const sized = ({ path, bytes }: { readonly path: string; readonly bytes: number }): string =>
    `${plain(path)}  ${formatBytes(bytes)}`;
  print(`${plain(folder)} as ${plain(under)}: ${formatCount(unchanged)} unchanged`);
  kind(added, 'added', 'green', added.files.map(sized));
  kind(changed, 'changed', 'yellow', changed.files.map(sized));
  kind(recut, 'cut anew', 'yellow', recut.files.map(sized));
  kind(
    renamed,
    'renamed',
    'yellow',
    renamed.files.map(({ from, to, bytes }) => `${plain(from)} -> ${plain(to)}  ${formatBytes(bytes)}`),
  );
  kind(removed, 'removed', 'red', removed.files.map(sized));
  kind(
    unreadable,
    'unreadable',
    'red',
    unreadable.files.map(({ path, message }) => `${plain(path)}: ${plain(message)}`),
  );
  kind(
    ignored,
    'ignored',
    'dim',
    ignored.files.map(({ path, rule, by }) => {
      const why = rule === null ? 'neither file nor folder' : `${rule}, ${by ?? 'always'}`;
      return `${plain(path)}  (${plain(why)})`;
    }),
  );
  say('Nothing was written.');
}

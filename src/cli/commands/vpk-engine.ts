/** `kith vpk engine ...`: vectors of knowledge bases in an engine of the owner's. @module cli/commands/vpk-engine */
import { formatBytes, formatCount, formatDuration, formatPlural } from '../../base/index.ts';
import type { EngineInfo, EngineOrder, EngineView, JobView } from '../../server/index.ts';
import { exitCode, UsageError } from '../failure.ts';
import { asTyped, paint, plain, print, printJson, say, table } from '../output.ts';
import type { Handler, Invocation } from '../program.ts';
import { type RagDesk, withRag } from '../rag-desk.ts';
import { readStdin, stdinEnds } from '../stdin.ts';
import { codeOf, follow } from './rag-jobs.ts';
import { whereOf } from './rag-share.ts';

/** Characters of a passage that are shown. */
const SHOWN = 600;

const never = new AbortController().signal;
const kbOf = ({ args }: Invocation): string => String(args[0]);
const when = (ms: number | null): string =>
  ms === null ? 'never' : new Date(ms).toISOString().slice(0, 16).replace('T', ' ');

async function done(
  { options }: Invocation,
  begin: (rag: RagDesk) => Promise<JobView>,
  learns: boolean,
): Promise<number> {
  const [job, views] = await withRag(options, async (rag) => {
    const ended = await follow(rag, await begin(rag));
    return [ended, await rag.desk.engines.list()] as const;
  });
  const { kb, state, error, progress } = job;
  if (options.json) printJson(job);
  else if (state === 'done')
    print(
      `${kb}: ${formatPlural(progress.of ?? 0, 'vector')} in the engine; ${formatCount(progress.totals.done)} sent (${formatBytes(progress.totals.bytes)}), ${formatCount(progress.removed)} removed`,
    );
  else say(error === null ? 'It goes on in the node.' : asTyped(plain(error.message)));
  if (learns && !options.json) tellLearns(views.find((view) => view.kb === kb)?.learns ?? []);
  return codeOf([job]);
}

function tellLearns(sentences: readonly string[]): void {
  for (const sentence of sentences) say(`${paint('yellow', 'note:', process.stderr)} ${plain(sentence)}`);
}

async function secretFromStdin(): Promise<string> {
  if (!stdinEnds())
    throw new UsageError('--secret-stdin takes a file or a pipe: kith vpk engine connect ... < password.txt');
  const secret = (await readStdin()).replace(/\r?\n$/u, '');
  if (secret === '') throw new UsageError('stdin is empty, and --secret-stdin was given.');
  return secret;
}

export const connect: Handler = async (invocation) => {
  const { args, options } = invocation;
  const order: EngineOrder = {
    url: String(args[1]),
    ...(options.secretStdin === true ? { secret: await secretFromStdin() } : {}),
    ...(options.search === undefined ? {} : { search: options.search === true }),
  };
  return done(invocation, ({ desk }) => desk.engines.connect(kbOf(invocation), order, never), true);
};

export const sync: Handler = (invocation) =>
  done(invocation, ({ desk }) => desk.engines.sync(kbOf(invocation)), false);

export const status: Handler = async ({ args, options }) => {
  if (args[0] !== undefined) return statusOf(String(args[0]), options);
  const engines = await withRag(options, ({ desk }) => desk.engines.list());
  if (options.json) printJson({ engines });
  else if (engines.length === 0)
    print(
      asTyped('No knowledge base is connected to an engine. Connect one: kith vpk engine connect KB URL'),
    );
  else {
    const head = ['KNOWLEDGE BASE', 'ENGINE', 'VECTORS', 'LAST', 'STATE', 'SEARCHES'];
    print(table([head, ...engines.map(rowOf)], [2]));
  }
  return exitCode.ok;
};

const rowOf = (view: EngineView): string[] => [
  ...[view.kb, plain(view.address), view.points === null ? '' : formatCount(view.points)],
  ...[when(view.synced), stateOf(view), view.search ? 'ask it' : 'with --engine'],
];

const stateOf = ({ synced, stale }: EngineView): string =>
  synced === null
    ? paint('yellow', 'not synced yet')
    : stale === true
      ? paint('yellow', 'changed since')
      : stale === null
        ? 'not here'
        : 'up to date';

async function statusOf(kb: string, options: Invocation['options']): Promise<number> {
  const info: EngineInfo = await withRag(options, ({ desk }) => desk.engines.info(kb, never));
  if (options.json) printJson(info);
  else {
    const { address, about, count, points, synced, collection, trouble, learns } = info;
    print(`${info.kb}: ${plain(about ?? info.kind)} at ${plain(address)}, ${stateOf(info)}`);
    if (collection !== null)
      print(
        `${points === null ? 'no' : formatCount(points)} vectors at the last sync (${when(synced)})${count === null ? '' : `, ${formatCount(count)} there now`}; collection ${collection}`,
      );
    if (trouble !== null)
      say(`${paint('yellow', 'trouble:', process.stderr)} ${asTyped(plain(trouble.message))}`);
    tellLearns(learns);
  }
  return info.trouble === null ? exitCode.ok : exitCode.degraded;
}

export const search: Handler = async ({ args, options }) => {
  const [kb, question] = args as unknown as [string, readonly string[]];
  const order = { query: question.join(' '), k: Number(options.k), exact: options.exact === true };
  const found = await withRag(options, ({ desk }) => desk.engines.search(kb, order, never));
  const { hits, about, times, damaged, learns } = found;
  if (options.json) printJson(found);
  else {
    for (const [at, { score, path, title, place, text }] of hits.entries()) {
      print(`${at + 1}. ${paint('bold', plain(path))}${whereOf(place)} ${paint('dim', score.toFixed(3))}`);
      print(paint('dim', plain(title)));
      print(`${plain(text.length > SHOWN ? `${text.slice(0, SHOWN).toWellFormed()}…` : text)}\n`);
    }
    if (hits.length === 0) say('Nothing was found.');
    if (damaged > 0)
      say(
        asTyped(
          `${formatPlural(damaged, 'text')} in the engine ${damaged === 1 ? 'is' : 'are'} not what was put there: kith vpk engine sync ${kb}`,
        ),
      );
    say(`By ${plain(about)}, in ${formatDuration(times.search)}`);
    if (options.verbose === true) {
      say(`Question's vector ${formatDuration(times.embed)}, texts ${formatDuration(times.texts)}`);
      tellLearns(learns);
    }
  }
  return hits.length === 0 ? exitCode.failure : exitCode.ok;
};

export const disconnect: Handler = async (invocation) => {
  const { options } = invocation;
  const kb = kbOf(invocation);
  const { dropped } = await withRag(options, ({ desk }) =>
    desk.engines.disconnect(kb, options.drop === true, never),
  );
  if (options.json) printJson({ kb, dropped });
  else
    print(
      dropped
        ? `${kb} is disconnected, and what the engine had of it is removed.`
        : `${kb} is disconnected. What the engine has of it stays there.`,
    );
};

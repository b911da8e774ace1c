/** `kith rag ...`: the owner's documents, kept and searched. @module cli/commands/rag */
import { basename, resolve } from 'node:path';
import { formatBytes, formatCount, formatDuration, formatPlural } from '../../base/index.ts';
import type { DocumentView, FileView, HitView, JobView, KbView, SearchQuery } from '../../server/index.ts';
import { exitCode, UsageError } from '../failure.ts';
import { asTyped, paint, plain, print, printJson, say, table } from '../output.ts';
import type { Handler, Invocation } from '../program.ts';
import { type RagDesk, withRag } from '../rag-desk.ts';
import { filterOf } from '../rag-filter.ts';
import { stepsOf, tellSteps } from '../rag-steps.ts';
import { answerOnce, writerOf } from './rag-answer.ts';
import { codeOf, follow, jobTable, tell } from './rag-jobs.ts';
import { answerByPeer, listShared, queryAll } from './rag-share.ts';
import { chunkingGiven, chunkingShort, syncPlan, tellChunking } from './rag-upkeep.ts';

/** Characters of a hit that are shown. */
const SHOWN = 500;

const nameOf = ({ args }: Invocation): string => String(args[0]);
const optional = (options: Invocation['options'], name: string): Record<string, string> =>
  options[name] === undefined ? {} : { [name]: String(options[name]) };

export const init: Handler = async (invocation) => {
  const { options } = invocation;
  const folder = options.folder === undefined ? {} : { folder: resolve(String(options.folder)) };
  const keep = options.keepFolders === true ? { keepFolders: true } : {};
  const chunking = chunkingGiven(options);
  const made = await withRag(options, ({ desk }) =>
    desk.create({ name: nameOf(invocation), ...folder, ...keep, ...(chunking === null ? {} : { chunking }) }),
  );
  if (options.json) {
    printJson(made);
    return;
  }
  const documents = made.contents?.documents ?? 0;
  print(
    `Knowledge base ${made.name} in ${plain(made.path)}${documents > 0 ? `, with ${formatPlural(documents, 'document')}` : ''}`,
  );
  if (chunking !== null && made.contents !== null) tellChunking(made.name, made.contents.chunking);
  for (const { folder: named, under } of made.unfollowed ?? [])
    say(
      `${paint('yellow', 'not followed:', process.stderr)} ${plain(named)}, which the file names. If you follow it: ${asTyped(`kith rag sync ${made.name} ${quotedPath(named)} --under ${quotedPath(under)}`)}`,
    );
  if (documents === 0) print(asTyped(`Follow a folder: kith rag sync ${made.name} FOLDER`));
};

export const list: Handler = async (invocation) => {
  const { options } = invocation;
  if (options.shared) return listShared(invocation);
  const kbs = await withRag(options, ({ desk }) => desk.list());
  if (options.json) printJson(kbs);
  else if (kbs.length === 0)
    print(asTyped('There is no knowledge base yet. Make one with: kith rag init NAME'));
  else {
    const head = [
      'NAME',
      'DOCUMENTS',
      'CHUNKS',
      'SIZE',
      'FAILED',
      'JOBS',
      'VECTORS BY',
      'CUT INTO',
      'FOLDERS',
    ];
    print(table([head, ...kbs.map(rowOf)], [1, 2, 3, 4, 5]));
    for (const { name, contents } of kbs)
      for (const { folder, watch } of contents?.folders ?? [])
        if (watch?.why != null)
          say(
            `${name}: ${plain(folder)} is looked at every ${formatDuration(watch.everyMs)}: ${plain(watch.why)}`,
          );
    for (const { name, contents } of kbs)
      if (contents !== null && contents.chunking.stale > 0)
        say(
          asTyped(
            `${name}: ${formatPlural(contents.chunking.stale, 'document')} cut otherwise, until synced or rebuilt: kith rag rebuild ${name} --chunks`,
          ),
        );
    for (const { name, trouble } of kbs)
      if (trouble !== null) say(`${paint('yellow', `${name}:`, process.stderr)} ${plain(trouble.message)}`);
  }
};

/** As a shell takes it. */
const quotedPath = (path: string): string => `'${plain(path).replaceAll("'", "'\\''")}'`;

function rowOf({ name, contents, jobs }: KbView): string[] {
  if (contents === null) return [name, '-', '-', '-', '-', String(jobs), '-', '-', 'not here'];
  const { documents, chunks, bytes, embedder, folders, files, chunking } = contents;
  return [
    name,
    formatCount(documents),
    formatCount(chunks),
    formatBytes(bytes),
    formatCount(files.failed ?? 0),
    formatCount(jobs),
    embedder?.id ?? '-',
    chunkingShort(chunking),
    folders.map(({ folder }) => plain(folder)).join(', ') || '-',
  ];
}

/** Follows jobs to their end and tells what they came to. */
async function finish(
  { options }: Invocation,
  begin: (rag: RagDesk) => Promise<readonly JobView[]>,
  show: (job: JobView) => void = tell,
): Promise<number> {
  const jobs = await withRag(options, async (rag) => {
    const ended: JobView[] = [];
    for (const job of await begin(rag)) ended.push(await follow(rag, job));
    return ended;
  });
  if (options.json) printJson(jobs);
  else for (const job of jobs) show(job);
  return codeOf(jobs);
}

function placeOf({ under }: Invocation['options']): { under?: string } {
  if (under === undefined) return {};
  const place = String(under);
  if (!place.startsWith('/') && place.split('/').some((part) => part === '.' || part === '..'))
    throw new UsageError(
      '--under names a folder in the knowledge base, without "." and "..": --under trips/',
    );
  return { under: place.endsWith('/') ? place : `${place}/` };
}

export const ingest: Handler = (invocation) => {
  const paths = ((invocation.args[1] ?? []) as readonly string[]).map((path) => resolve(path));
  return finish(invocation, async ({ desk }) => [
    await desk.ingest(nameOf(invocation), { paths, ...placeOf(invocation.options), retry: true }),
  ]);
};

export const sync: Handler = (invocation) => {
  const { args, options } = invocation;
  const place = placeOf(options);
  if (options.forget !== undefined) {
    if (
      args[1] !== undefined ||
      [options.under, options.allowEmpty, options.dryRun].some((each) => each !== undefined)
    )
      throw new UsageError(
        '--forget goes with the folder alone: kith rag sync NAME --forget FOLDER [--keep]',
      );
    const order = { folder: resolve(String(options.forget)), keep: options.keep === true };
    return finish(
      invocation,
      async ({ desk }) => [await desk.unfollow(nameOf(invocation), order)],
      tellForgotten,
    );
  }
  if (options.keep !== undefined) throw new UsageError('--keep goes with --forget FOLDER.');
  if (args[1] === undefined && place.under !== undefined)
    throw new UsageError('--under goes with a folder: kith rag sync NAME FOLDER --under PLACE/');
  const folder = args[1] === undefined ? {} : { folder: resolve(String(args[1])) };
  if (folder.folder !== undefined && basename(folder.folder) === '' && place.under === undefined)
    throw new UsageError('This folder has no name: say where its files stand, with --under PLACE/');
  const order = { ...folder, ...place, allowEmpty: options.allowEmpty === true };
  if (options.dryRun === true) return syncPlan(invocation, order);
  return finish(invocation, ({ desk }) => desk.sync(nameOf(invocation), order));
};

function tellForgotten(job: JobView): void {
  const { removed } = job.progress;
  if (job.state !== 'done') tell(job);
  else
    print(
      `${plain(job.what)} is followed no longer; ${removed === 0 ? 'no document was' : `${formatPlural(removed, 'document')} ${removed === 1 ? 'was' : 'were'}`} removed`,
    );
}

export const rebuild: Handler = (invocation) =>
  finish(invocation, async ({ desk }) => [
    await desk.rebuild(nameOf(invocation), invocation.options.chunks === true ? 'chunks' : undefined),
  ]);

export const jobs: Handler = async (invocation) => {
  const { options } = invocation;
  const name = nameOf(invocation);
  const told = await withRag(options, async ({ desk }) =>
    options.cancel === undefined ? desk.jobs(name) : [await desk.cancel(name, Number(options.cancel))],
  );
  if (options.json) printJson(told);
  else if (told.length === 0) print('No jobs: nothing was taken in yet.');
  else print(jobTable(told));
  const stalled = options.json ? undefined : told.find((job) => job.stalled);
  if (stalled !== undefined)
    say(
      asTyped(
        `Nobody works on what is stopped: the process that did is gone. A node goes on with it (kith start); without one, end it (kith rag jobs ${name} --cancel ${stalled.id}) and say the command again, which takes in what is missing.`,
      ),
    );
};

export const query: Handler = async (invocation) => {
  const { args, options } = invocation;
  if (((args[1] ?? []) as readonly string[]).join(' ').trim() === '')
    throw new UsageError('The question is empty: kith rag query NAME "when does the lease end?"');
  if (options.answer && nameOf(invocation).startsWith('@')) return answerByPeer(invocation);
  const isOfSeveral = /^@|,/.test(nameOf(invocation));
  if (options.deadline !== undefined && !isOfSeveral)
    throw new UsageError(
      '--deadline goes with a search of several knowledge bases: NAME,OTHER or @PEER:NAME.',
    );
  if (options.answer) return answerOnce(invocation);
  if (isOfSeveral) {
    if (Object.keys(stepsOf(options)).length > 0)
      throw new UsageError(
        '--hyde, --multi-query, --rerank, --engine and --budget go with one knowledge base of this node.',
      );
    return queryAll(invocation);
  }
  const steps = stepsOf(options);
  const asksWriter = (steps.expand ?? []).length > 0 || steps.rerank === 'listwise';
  if (options.writer !== undefined && !asksWriter)
    throw new UsageError('--writer goes with --answer, --hyde, --multi-query or --rerank listwise.');
  const filter = filterOf(options);
  const asked: SearchQuery = {
    query: ((args[1] ?? []) as readonly string[]).join(' '),
    k: Number(options.k ?? 5),
    mode: options.mode as SearchQuery['mode'],
    neighbours: 0,
    ...(filter === null ? {} : { filter }),
    ...writerOf(options),
    ...steps,
  };
  const found = await withRag(options, ({ desk }) =>
    desk.search(nameOf(invocation), asked, new AbortController().signal),
  );
  const code = found.hits.length === 0 ? exitCode.failure : exitCode.ok;
  if (options.json) {
    printJson(found);
    return code;
  }
  for (const [at, hit] of found.hits.entries()) printHit(at + 1, hit);
  if (found.hits.length === 0)
    say(
      filter === null
        ? 'Nothing was found.'
        : asTyped(
            `Nothing was found in documents that fit. Paths are as they stand in kith rag docs ${nameOf(invocation)}`,
          ),
    );
  if (found.degraded !== null)
    say(asTyped(`Searched by words alone: ${plain(found.degraded.message)} (${found.degraded.code})`));
  else say(`By ${found.by.join(', ')}, in ${formatDuration(found.ms)}`);
  if (found.route !== null) say(`Way: ${found.route.taken}, since ${plain(found.route.why)}`);
  tellSteps(found.steps);
  return code;
};

function printHit(at: number, { path, title, text, place, graph }: HitView): void {
  const where = [
    ...(place.page === undefined ? [] : [`page ${place.page}`]),
    ...(place.sheet === undefined ? [] : [`sheet ${place.sheet}`]),
    ...(place.part === undefined ? [] : [place.part]),
    ...(place.line === undefined ? [] : [`line ${place.line}`]),
  ];
  print(`${at}. ${paint('bold', plain(path))}${where.length === 0 ? '' : `, ${plain(where.join(', '))}`}`);
  print(paint('dim', plain(title)));
  if (graph !== null && graph.through.length > 0)
    print(paint('dim', `by way of ${plain(graph.through.join(', '))}`));
  const shown = text.length > SHOWN ? `${text.slice(0, SHOWN).toWellFormed()}…` : text;
  print(`${plain(shown)}\n`);
}

export const docs: Handler = async (invocation) => {
  const { options } = invocation;
  const name = nameOf(invocation);
  const page = { ...optional(options, 'after'), limit: Number(options.limit) };
  if (options.failed) {
    const files = await withRag(options, ({ desk }) => desk.files(name, { ...page, stage: 'failed' }));
    if (options.json) printJson(files);
    else if (files.length === 0) print('No file failed.');
    else print(table([['FILE', 'CODE', 'WHY'], ...files.map(failedRow)]));
    return;
  }
  const documents = await withRag(options, ({ desk }) => desk.documents(name, page));
  if (options.json) printJson(documents);
  else if (documents.length === 0) print('No documents.');
  else {
    print(
      table(
        [['PATH', 'TITLE', 'TYPE', 'CHUNKS', 'SIZE', 'CUT INTO', 'NOTES'], ...documents.map(documentRow)],
        [3, 4],
      ),
    );
    if (documents.length === page.limit) say(`There may be more: --after '${plain(documents.at(-1)!.path)}'`);
  }
};

const failedRow = ({ path, error }: FileView): string[] => [
  plain(path),
  error?.code ?? '',
  plain(error?.message ?? ''),
];

const documentRow = ({ path, title, type, chunks, bytes, notes, chunking }: DocumentView): string[] => [
  plain(path),
  plain(title.length > 40 ? `${title.slice(0, 39).toWellFormed()}…` : title),
  type,
  formatCount(chunks),
  formatBytes(bytes),
  chunking === null ? '-' : chunkingShort(chunking),
  notes.map(({ code }) => code).join(', '),
];

export const deleteDoc: Handler = async (invocation) => {
  const { args, options } = invocation;
  const path = String(args[1]);
  const removed = await withRag(options, ({ desk }) => desk.removeDocument(nameOf(invocation), path));
  if (options.json) printJson({ path, removed });
  else print(`${plain(path)}: ${formatPlural(removed, 'document')} removed`);
};

export const destroy: Handler = async (invocation) => {
  const { options } = invocation;
  const name = nameOf(invocation);
  const keep = options.keepFile === true;
  if (options.yes !== true && !keep)
    throw new UsageError(
      `This removes the knowledge base ${name} with all that was taken in. If you mean it: kith rag destroy ${name} --yes`,
    );
  const atPeers = await withRag(options, async ({ desk }) => {
    const placed = (await desk.vault.placed()).find(({ kb }) => kb === name);
    await desk.destroy(name, keep);
    return placed?.eves.map(({ peer }) => peer) ?? [];
  });
  if (options.json) printJson({ name, kept: keep, atPeers });
  else {
    print(keep ? `Forgot ${name}; its file is where it was.` : `Removed ${name}.`);
    if (atPeers.length > 0)
      say(
        asTyped(
          `${formatPlural(atPeers.length, 'peer')} still ${atPeers.length === 1 ? 'keeps' : 'keep'} what was placed of it, until its time is over. Bring it back: kith vpk restore ${name}. Delete it there: kith vpk tenant delete ${name} --yes`,
        ),
      );
  }
};

/**
 * Knowledge bases of the node in folders and files of their owner's: notes for Obsidian, whole copies.
 *
 * @module node/knowledge/exchange
 */
import { copyFile, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  InputError,
  KithError,
  oneAtATime,
  pathError,
  requireDiskSpace,
  syncFolder,
  toHex,
} from '../../base/index.ts';
import { createKbView, importNotes } from '../../knowledge/index.ts';
import type { ExchangeDesk, KbView, NewKb } from '../../server/index.ts';
import { knowledgeFolder } from '../home-files.ts';
import { checkKb, removeDatabase } from './admitting.ts';
import type { AreaParts } from './areas.ts';
import { checkNotes, copyWork, writeCopy, writeNotes } from './exporting.ts';
import { sceneOf } from './graph-scene.ts';
import { foldersOf, type OpenKb } from './kbs.ts';
import type { Registry, Work } from './registry.ts';
import type { Telling } from './telling.ts';

export interface Exchange {
  readonly desk: ExchangeDesk;
  /** Does a job of an export. */
  work(work: Extract<Work, { readonly kind: 'notes' | 'copy' }>, kb: OpenKb, parts: ExportJob): Promise<void>;
}

export interface ExportJob {
  /** Of the knowledge base. */
  readonly name: string;
  readonly registry: Registry;
  readonly telling: Telling;
}

/** @param create makes a knowledge base of the file that lies where its own is to be */
export function createExchange(
  { clock, config, random, withKb }: AreaParts,
  create: (kb: NewKb, before: (path: string) => Promise<void>) => Promise<KbView>,
): Exchange {
  /** Two that write to one folder would each take the other's names. */
  const inTurn = oneAtATime();

  const viewOf = async (kb: OpenKb) => {
    const { facts: names } = await sceneOf(kb);
    return createKbView({ store: kb.store, graph: kb.graph, names, folders: foldersOf(kb.store) });
  };

  const desk: ExchangeDesk = {
    exportNotes: (name, order) =>
      withKb(name, async ({ store }, { jobs }) => {
        await checkNotes(order.folder, foldersOf(store));
        return jobs.add(name, { kind: 'notes', ...order });
      }),
    importNotes: (name, order, signal) =>
      inTurn(() =>
        withKb(name, async (kb) =>
          importNotes({ ...(await viewOf(kb)), name }, kb.store, { ...order, clock, signal }),
        ),
      ),
    backup: (name, order) =>
      withKb(name, async (kb, { jobs, registry }) =>
        jobs.add(name, await copyWork(order, kb, registry.all(), random)),
      ),
    restore: (name, { file, folder = knowledgeFolder(config) }) =>
      create({ name, folder }, async (path) => {
        const facts = await stat(file).catch(() => null);
        if (!facts?.isFile())
          throw new InputError('file_not_found', `There is no file at ${file}.`, {
            status: 404,
            param: 'file',
          });
        if (facts.size === 0)
          throw new KithError(
            'backup_invalid',
            `${file} is no sound copy of a knowledge base: it is empty.`,
            { status: 422, details: { path: file } },
          );
        if ((await stat(path).catch(() => null)) !== null)
          throw new KithError(
            'kb_exists',
            `There is a file ${path} already. To take that one as it is: kith rag init ${name} --folder ${dirname(path)}`,
            { status: 409, details: { path } },
          );
        await requireDiskSpace(path, facts.size);
        const beside = `${path}.${toHex(random.bytes(6))}.tmp`;
        try {
          // What another process still has in its log counts, too.
          await copyFile(file, beside);
          await copyFile(`${file}-wal`, `${beside}-wal`).catch(() => undefined);
          checkKb(beside, file);
          await rename(beside, path);
          await syncFolder(dirname(path));
        } catch (error) {
          throw pathError(path, error);
        } finally {
          await removeDatabase(beside);
        }
      }),
  };
  return {
    desk,
    work: (work, kb, { name, registry, telling }) =>
      work.kind === 'copy'
        ? writeCopy(work, kb, registry.all(), telling)
        : inTurn(() =>
            writeNotes(work, foldersOf(kb.store), async () => ({ ...(await viewOf(kb)), name }), telling),
          ),
  };
}

/**
 * Knowledge bases out of the node and back: as notes for Obsidian, and as whole copies.
 *
 * @module server/rag/exchange-types
 */
import type { ImportReport } from '../../knowledge/index.ts';
import type { JobView, KbView } from './types.ts';

export interface NotesOrder {
  /** Of the node's machine, absolute; made when it is not there. */
  readonly folder: string;
  /** Names that fewer chunks have get no note, unless the owner said something of them. @default 3 */
  readonly least?: number;
  /** Whether documents get notes, or links go to the files themselves. @default 'notes' */
  readonly sources?: 'notes' | 'files';
}

export interface NotesImportOrder {
  readonly folder: string;
  /** Tells what would be taken in, and does nothing. */
  readonly dryRun: boolean;
}

export interface BackupOrder {
  /** Of the node's machine, absolute. */
  readonly file: string;
  /** Writes over a file that is there. */
  readonly replace: boolean;
}

export interface BackupView {
  readonly file: string;
  readonly bytes: number;
}

export interface RestoreOrder {
  /** A copy that `backup` wrote, or the file of a knowledge base that is in use nowhere. */
  readonly file: string;
  /** Where the knowledge base's own file is to be. @default `knowledge.folder` */
  readonly folder?: string;
}

export interface ExchangeDesk {
  /** A job, whose progress has what was written in `notes`. @throws KithError `export_ignored`, `folder_missing`, `path_unusable` */
  exportNotes(kb: string, order: NotesOrder): Promise<JobView>;
  /** @throws KithError `export_missing`, `export_list_broken`, `folder_unreadable` */
  importNotes(kb: string, order: NotesImportOrder, signal: AbortSignal): Promise<ImportReport>;
  /** A job, whose progress has the file in `copy`. @throws KithError `export_exists`, `folder_missing`, `path_unusable`, `disk_full` */
  backup(kb: string, order: BackupOrder): Promise<JobView>;
  /** Makes a knowledge base of a copy. @throws as `KnowledgeDesk.create`; KithError `backup_invalid`, `disk_full` */
  restore(kb: string, order: RestoreOrder): Promise<KbView>;
}

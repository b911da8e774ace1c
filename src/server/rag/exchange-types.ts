/**
 * Knowledge bases out of the node and back: as notes for Obsidian, and as whole copies.
 *
 * @module server/rag/exchange-types
 */
import type { ExportReport, ImportReport } from '../../knowledge/index.ts';
import type { KbView } from './types.ts';

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
  /** @throws KithError `export_ignored`, `export_list_broken`, `folder_unreadable`, `disk_full`, `write_failed` */
  exportNotes(kb: string, order: NotesOrder, signal: AbortSignal): Promise<ExportReport>;
  /** @throws KithError `export_missing`, `export_list_broken`, `folder_unreadable` */
  importNotes(kb: string, order: NotesImportOrder, signal: AbortSignal): Promise<ImportReport>;
  /** @throws KithError `export_exists`, `folder_missing`, `disk_full` */
  backup(kb: string, order: BackupOrder): Promise<BackupView>;
  /** Makes a knowledge base of a copy. @throws as `KnowledgeDesk.create`; KithError `backup_invalid`, `disk_full` */
  restore(kb: string, order: RestoreOrder): Promise<KbView>;
}

/**
 * A knowledge base as a folder of notes for Obsidian, and what its owner changed there.
 *
 * @module knowledge/exchange
 */
export { type ExportOptions, type ExportReport, exportNotes, LEAST_MENTIONS } from './export.ts';
export { type ImportedChange, type ImportOptions, type ImportReport, importNotes } from './import.ts';
export { createKbView, type KbViewParts } from './kb-view.ts';
export type { NotesView } from './view.ts';

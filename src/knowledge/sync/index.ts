/**
 * Folders into a knowledge base, once or for as long as they are watched.
 *
 * @module knowledge/sync
 */
export {
  type Bell,
  createBell,
  type FolderObserver,
  type FolderState,
  folderState,
  networkDrive,
  observeFolder,
} from './observe.ts';
export {
  PLAN_ENTRIES,
  type PlannedFile,
  type PlannedFiles,
  type PlannedMove,
  type PlannedTrouble,
  previewSync,
  type SyncPlan,
} from './preview.ts';
export { type SyncEvent, type SyncOptions, sync } from './sync.ts';
export { type FoundFile, IGNORE_FILES, type Ignored, type Unread, WALK_LIMITS, walk } from './walk.ts';
export { type WatchEvent, type WatchOptions, watchFolder } from './watch.ts';

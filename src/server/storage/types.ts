/**
 * The space that this node lends, for its owner.
 *
 * @module server/storage/types
 */

export interface StorageView {
  readonly enabled: boolean;
  /** Whether the swarm is on: without it no peer gets anything. */
  readonly swarm: boolean;
  readonly folder: string;
  /** Bytes that are lent at most, that were promised, and that are taken on the disk. */
  readonly capacityBytes: number;
  readonly promisedBytes: number;
  readonly usedBytes: number;
  readonly tenantBytes: number;
  readonly days: number;
  readonly graceDays: number;
  /** Who gets space, in a word: friends, or those of a tier and above. */
  readonly serveTier: string;
  readonly friends: number;
  /** Since the start of the node. */
  readonly counters: {
    readonly answered: number;
    readonly refused: number;
    /** By their code. */
    readonly refusals: Readonly<Record<string, number>>;
    readonly bytesIn: number;
    readonly bytesOut: number;
  };
  readonly tenants: readonly TenantView[];
}

export interface TenantView {
  /** PeerId of whose it is. */
  readonly owner: string;
  /** What the owner calls it: nothing that this node could read. */
  readonly label: string;
  readonly state: 'open' | 'grace';
  /** Its file is gone or damaged, and nothing of it can be read. */
  readonly damaged: boolean;
  readonly quotaBytes: number;
  readonly usedBytes: number;
  readonly blocks: number;
  /** ms since 1970. */
  readonly made: number;
  readonly until: number;
  readonly deletedAt: number;
}

export interface StorageDesk {
  /**
   * Puts a backup in the place of what a tenant holds now.
   *
   * @param file of the node's machine, absolute @throws KithError `storage_no_tenant`, `storage_backup`, `file_not_found`
   */
  bringBack(owner: string, label: string, file: string): Promise<void>;
  view(): Promise<StorageView>;
  /** @throws KithError `storage_no_tenant`, `storage_off` */
  destroy(owner: string, label: string): Promise<void>;
  /** A copy of a tenant's file. @param file of the node's machine, absolute @throws KithError `storage_no_tenant`, `path_unusable` */
  backup(
    owner: string,
    label: string,
    file: string,
  ): Promise<{ readonly file: string; readonly bytes: number }>;
}

/**
 * What Eve computes with blocks of her tenants: sums of scores, rows gathered, rows nearest to a perturbed vector. A tenant's blocks in memory are asked for by that tenant alone,
 * and go from there when they are deleted.
 *
 * @module vault/eve/computing
 */
import { KithError } from '../../base/index.ts';
import { createRowBlocks, nearestRows } from '../perturbed/nearest.ts';
import { CIPHER_BYTES } from '../split/bob.ts';
import { type BlockMemory, gatherRows, rowMemory, scoreBlocks, scoreMemory } from '../split/eve.ts';
import type { TenantFile } from './tenant-file.ts';

export interface Computing {
  /** @param tenant names it within this Eve @throws KithError `storage_no_block`, `storage_form` */
  score(tenant: string, file: TenantFile, blocks: readonly string[], share: Uint8Array): Uint8Array;
  gather(
    tenant: string,
    file: TenantFile,
    asked: {
      readonly blocks: readonly string[];
      readonly rows: number;
      readonly bytes: number;
      readonly questions: number;
    },
    bits: Uint8Array,
  ): Uint8Array;
  nearest(
    tenant: string,
    file: TenantFile,
    asked: {
      readonly blocks: readonly string[];
      readonly dimension: number;
      readonly bytes: number;
      readonly k: number;
    },
    query: Uint8Array,
  ): Uint8Array;
  forget(tenant: string, blocks: readonly string[]): void;
  forgetAll(tenant: string): void;
}

/** Lengths of blocks of rows that have a memory of their own at a time. */
const ROW_FORMS = 4;
/** Of the memory: blocks of scores, of rows of each length, and of rows that are compared. */
const SHARES = { scores: 1 / 2, rows: 1 / 3 / ROW_FORMS, compared: 1 / 6 } as const;
/** Names of a tenant's blocks that are remembered as in memory; with more of them it begins anew. */
const MOST_HELD = 100_000;

/** @param memoryBytes of all blocks in memory together, of all tenants */
export function createComputing(memoryBytes: number): Computing {
  let scores: BlockMemory | undefined;
  const rowBlocks = createRowBlocks(memoryBytes * SHARES.compared);
  const rowForms = new Map<number, BlockMemory>();
  /** Names of blocks in memory, by tenant. */
  const held = new Map<string, Set<string>>();

  const nameOf = (tenant: string, id: string) => `${tenant}/${id}`;

  /** @param bytes that a block has to have; null: any number */
  function loader(tenant: string, file: TenantFile, bytes: number | null): (name: string) => Uint8Array {
    return (name) => {
      const block = file.get(name.slice(tenant.length + 1), null);
      if (bytes !== null && block.length !== bytes)
        throw new KithError(
          'storage_form',
          `The block has ${block.length} bytes, not the ${bytes} that were asked for.`,
          {
            status: 409,
          },
        );
      if ((held.get(tenant)?.size ?? 0) >= MOST_HELD) forgetAll(tenant);
      const names = held.get(tenant) ?? new Set();
      held.set(tenant, names.add(name));
      return block;
    };
  }

  function rowsOf(bytes: number): BlockMemory {
    const known = rowForms.get(bytes);
    rowForms.delete(bytes);
    const memory = known ?? rowMemory(bytes, memoryBytes * SHARES.rows);
    rowForms.set(bytes, memory);
    if (rowForms.size > ROW_FORMS) rowForms.delete(rowForms.keys().next().value!);
    return memory;
  }

  function forgetNames(names: Iterable<string>): void {
    for (const name of names) {
      scores?.forget(name);
      rowBlocks.forget(name);
      for (const memory of rowForms.values()) memory.forget(name);
    }
  }

  function forgetAll(tenant: string): void {
    forgetNames(held.get(tenant) ?? []);
    held.delete(tenant);
  }

  return {
    score(tenant, file, blocks, share) {
      scores ??= scoreMemory(memoryBytes * SHARES.scores);
      const names = blocks.map((id) => nameOf(tenant, id));
      return scoreBlocks(scores, names, share, loader(tenant, file, CIPHER_BYTES));
    },
    gather(tenant, file, { blocks, rows, bytes, questions }, bits) {
      const length = rows * bytes;
      const names = blocks.map((id) => nameOf(tenant, id));
      const form = { rowBytes: bytes, rows, questions };
      return gatherRows(rowsOf(length), names, form, bits, loader(tenant, file, length));
    },
    nearest(tenant, file, { blocks, dimension, bytes, k }, query) {
      const names = blocks.map((id) => nameOf(tenant, id));
      const form = { dimension, rowBytes: bytes, k };
      return nearestRows(rowBlocks, names, form, query, loader(tenant, file, null));
    },
    forget(tenant, blocks) {
      const names = blocks.map((id) => nameOf(tenant, id));
      forgetNames(names);
      for (const name of names) held.get(tenant)?.delete(name);
    },
    forgetAll,
  };
}

/**
 * Reads a block from whoever has it: the first Eve in its order, the next one beside her when she is slow, and so on. What comes back is held
 * against the block's name, so that a wrong answer is as good as none.
 *
 * @module vault/place/reader
 */
import { type Clock, isKithError, KithError, throwIfAborted } from '../../base/index.ts';
import { blockId } from '../block.ts';
import type { EveTenant, Stretch } from '../types.ts';
import { firstAnswer } from './first-answer.ts';
import type { KeptReads } from './kept.ts';
import { type Place, placesFor } from './rendezvous.ts';

export interface PlacedEve extends Place {
  readonly tenant: EveTenant;
}

/** What an Eve did: `missing` a block that she took, `damaged` bytes, or no answer. */
export type EveFault = 'missing' | 'damaged' | 'failed';

export interface ReadOptions {
  readonly replicas: number;
  /** Ms after which the next Eve is asked beside one that has not answered. @default 400 */
  readonly hedgeMs?: number;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly onFault?: ((peer: string, fault: EveFault, block: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Whether an Eve is asked after all others. @default none is */
  readonly isLast?: ((peer: string) => boolean) | undefined;
  /** Asked before any Eve is. */
  readonly cache?: KeptReads | undefined;
}

export function faultOf(error: unknown): EveFault {
  if (!isKithError(error)) return 'failed';
  if (error.code === 'storage_no_block') return 'missing';
  return error.code === 'vault_damaged' ? 'damaged' : 'failed';
}

/**
 * @param check throws when a stretch is not what it has to be; whole blocks are checked by their name
 * @throws KithError `vault_block_lost`: no Eve gave it
 */
export async function readBlock<T>(
  eves: readonly PlacedEve[],
  block: string,
  stretch: Stretch | null,
  check: (bytes: Uint8Array) => T,
  options: ReadOptions,
): Promise<T> {
  const { replicas, hedgeMs, clock, onFault, signal, cache, isLast = () => false } = options;
  const kept = keptOf(cache, block, stretch, check);
  if (kept !== null) return kept.value;
  try {
    return await firstAnswer(
      placesFor(block, eves, replicas).toSorted((a, b) => Number(isLast(a.peer)) - Number(isLast(b.peer))),
      async ({ tenant }, both) => {
        const bytes = await tenant.get(block, stretch, both);
        const value = check(bytes);
        cache?.put(block, stretch, bytes);
        return value;
      },
      {
        ...{ hedgeMs, clock, signal, none: (causes) => lost(block, causes) },
        onFailed: ({ peer }, error) => onFault?.(peer, faultOf(error), block),
      },
    );
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  }
}

/** Whatever is wrong with what was kept: Eves are asked. */
function keptOf<T>(
  cache: KeptReads | undefined,
  block: string,
  stretch: Stretch | null,
  check: (bytes: Uint8Array) => T,
): { readonly value: T } | null {
  const bytes = cache?.get(block, stretch) ?? null;
  if (bytes === null || (stretch === null && blockId(bytes) !== block)) return null;
  try {
    return { value: check(bytes) };
  } catch {
    return null;
  }
}

function lost(block: string, causes: readonly string[]): KithError {
  return new KithError(
    'vault_block_lost',
    `No Eve gave block ${block.slice(0, 16)}…: ${causes.join('; ') || 'there are none'}. Wait until those that are away are back. What they lost, the machine that has the knowledge base places again: kith vpk upload KB.`,
    { status: 503 },
  );
}

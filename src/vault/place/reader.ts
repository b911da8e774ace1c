/**
 * Reads a block from whoever has it: the first Eve in its order, the next one beside her when she is slow, and so on. What comes back is held
 * against the block's name, so that a wrong answer is as good as none.
 *
 * @module vault/place/reader
 */
import { type Clock, isKithError, KithError, messageOf, throwIfAborted } from '../../base/index.ts';
import type { EveTenant, Stretch } from '../types.ts';
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
}

const HEDGE_MS = 400;

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
  const { replicas, hedgeMs = HEDGE_MS, clock, onFault, signal } = options;
  const order = placesFor(block, eves, replicas);
  const done = new AbortController();
  const both = signal === undefined ? done.signal : AbortSignal.any([signal, done.signal]);
  const causes: string[] = [];
  let running = 0;
  let next = 0;
  try {
    return await new Promise<T>((resolve, reject) => {
      const ask = () => {
        const eve = order[next++];
        if (eve === undefined) {
          if (running === 0) reject(lost(block, causes));
          return;
        }
        running += 1;
        const asked = next;
        // The next one when this one is slow, unless she was asked already since this one failed.
        clock.sleep(hedgeMs, both).then(
          () => next === asked && ask(),
          () => undefined,
        );
        eve.tenant
          .get(block, stretch, both)
          .then(check)
          .then(resolve, (error: unknown) => {
            running -= 1;
            if (both.aborted) return reject(error);
            onFault?.(eve.peer, faultOf(error), block);
            causes.push(`${eve.peer}: ${messageOf(error)}`);
            ask();
          });
      };
      ask();
    });
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  } finally {
    done.abort();
  }
}

function lost(block: string, causes: readonly string[]): KithError {
  return new KithError(
    'vault_block_lost',
    `No Eve gave block ${block.slice(0, 16)}…: ${causes.join('; ') || 'there are none'}. Wait until one of them is back, or run 'kith vpk repair'.`,
    { status: 503 },
  );
}

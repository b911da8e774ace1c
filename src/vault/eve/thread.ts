/**
 * Eve's own thread: writing waits for the disk and adding up blocks for the processor, and neither may hold up the node.
 *
 * @module vault/eve/thread
 */
import { parentPort, workerData } from 'node:worker_threads';
import { isKithError, messageOf, silentLogger, systemClock } from '../../base/index.ts';
import { createEve, type EveOptions } from './eve.ts';

export type ThreadOptions = Omit<EveOptions, 'clock' | 'log'>;

export type EveOrder =
  | {
      readonly do: 'answer';
      readonly peer: string;
      readonly welcome: boolean;
      readonly metadata: unknown;
      readonly payload: Uint8Array;
    }
  | { readonly do: 'tenants' | 'totals' | 'lendable' | 'sweep' | 'end' }
  | { readonly do: 'destroy'; readonly owner: string; readonly label: string }
  | { readonly do: 'backup'; readonly owner: string; readonly label: string; readonly target: string };

export interface ToldError {
  readonly code: string;
  readonly message: string;
  readonly status: number;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

export type FromEve =
  | { readonly id: number; readonly done: unknown }
  | { readonly id: number; readonly failed: ToldError };

const port = parentPort!;
const eve = createEve({ ...(workerData as ThreadOptions), clock: systemClock, log: silentLogger });

async function done(order: EveOrder): Promise<unknown> {
  switch (order.do) {
    case 'answer':
      return eve.answer(order as Parameters<typeof eve.answer>[0]);
    case 'tenants':
      return eve.tenants();
    case 'totals':
      return eve.totals;
    case 'lendable':
      return eve.lendable();
    case 'sweep':
      return eve.sweep();
    case 'destroy':
      return eve.destroy(order.owner, order.label);
    case 'backup':
      return eve.backup(order.owner, order.label, order.target);
    case 'end':
      eve[Symbol.dispose]();
      return null;
  }
}

const toldError = (error: unknown): ToldError =>
  isKithError(error)
    ? { code: error.code, message: error.message, status: error.status, details: error.details }
    : { code: 'storage_failed', message: `Eve failed: ${messageOf(error)}.`, status: 500, details: {} };

port.on('message', ({ id, order }: { id: number; order: EveOrder }) => {
  done(order).then(
    (result) => {
      port.postMessage({ id, done: result } satisfies FromEve);
      if (order.do === 'end') port.close();
    },
    (error: unknown) => port.postMessage({ id, failed: toldError(error) } satisfies FromEve),
  );
});

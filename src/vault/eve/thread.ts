/**
 * Eve's own thread: writing waits for the disk and adding up blocks for the processor, and neither may hold up the node.
 *
 * @module vault/eve/thread
 */
import { parentPort, workerData } from 'node:worker_threads';
import { isKithError, type Logger, messageOf, silentLogger, systemClock } from '../../base/index.ts';
import { createEve, type Eve, type EveOptions } from './eve.ts';
import { refusalOf } from './refusals.ts';

export type ThreadOptions = Omit<EveOptions, 'clock' | 'log'>;

export type EveOrder =
  | {
      readonly do: 'answer';
      readonly peer: string;
      readonly welcome: boolean;
      readonly metadata: unknown;
      readonly payload: Uint8Array;
    }
  | { readonly do: 'tenants' | 'totals' | 'account' | 'sweep' | 'end' }
  | { readonly do: 'destroy'; readonly owner: string; readonly label: string }
  | { readonly do: 'bring_back'; readonly owner: string; readonly label: string; readonly source: string }
  | { readonly do: 'backup'; readonly owner: string; readonly label: string; readonly target: string };

export interface ToldError {
  readonly code: string;
  readonly message: string;
  readonly status: number;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

export interface ToldLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export type FromEve =
  | { readonly id: number; readonly done: unknown }
  | { readonly id: number; readonly failed: ToldError }
  | { readonly id: null; readonly line: ToldLine }
  /** The folder is open: from now on it has to be there. */
  | { readonly id: null; readonly opened: true };

const port = parentPort!;
const say = (told: FromEve): void => port.postMessage(told);
/** Peers choose how often something fails: the same line is written once a minute. */
const LINE_MS = 60_000;
const said = new Map<string, number>();
const tell =
  (level: ToldLine['level']) =>
  (message: string, fields: ToldLine['fields'] = {}): void => {
    const now = systemClock.monotonic();
    if (level !== 'info' && now - (said.get(message) ?? Number.NEGATIVE_INFINITY) < LINE_MS) return;
    said.set(message, now);
    say({ id: null, line: { level, message, fields } });
  };
const log: Logger = { ...silentLogger, info: tell('info'), warn: tell('warn'), error: tell('error') };

let eve: Eve | null = null;

/** Tried again with each order: the disk may be there by then. */
function need(): Eve {
  if (eve !== null) return eve;
  eve = createEve({ ...(workerData as ThreadOptions), clock: systemClock, log });
  say({ id: null, opened: true });
  return eve;
}

/** Whoever asks from outside does not learn why there is none. */
function needForPeer(): Eve {
  try {
    return need();
  } catch (error) {
    throw refusalOf(error, log);
  }
}

async function done(order: EveOrder): Promise<unknown> {
  switch (order.do) {
    case 'answer':
      return needForPeer().answer(order as Parameters<Eve['answer']>[0]);
    case 'tenants':
      return need().tenants();
    case 'totals':
      return need().totals;
    case 'account':
      return need().account();
    case 'sweep':
      return need().sweep();
    case 'destroy':
      return need().destroy(order.owner, order.label);
    case 'backup':
      return need().backup(order.owner, order.label, order.target);
    case 'bring_back':
      return need().bringBack(order.owner, order.label, order.source);
    case 'end':
      eve?.[Symbol.dispose]();
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
      say({ id, done: result });
      if (order.do === 'end') port.close();
    },
    (error: unknown) => say({ id, failed: toldError(error) }),
  );
});

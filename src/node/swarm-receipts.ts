/**
 * The receipts of a node: where they are kept, and as its owner sees them.
 *
 * @module node/swarm-receipts
 */
import { join } from 'node:path';
import { type Clock, type Logger, messageOf } from '../base/index.ts';
import { openReceipts, type ReceiptQuery, type Receipts } from '../gateway/index.ts';
import type { ReceiptsView } from '../server/index.ts';

/** Where they cannot be written, those of this run are kept in memory. */
export function openNodeReceipts(home: string, clock: Clock, log: Logger): Receipts & Disposable {
  try {
    return openReceipts({ path: join(home, 'gateway', 'peer-receipts.sqlite'), clock, log });
  } catch (error) {
    log.error('Receipts of peers cannot be kept on the disk; those of this run are kept in memory.', {
      err: messageOf(error),
    });
    return openReceipts({ path: ':memory:', clock, log });
  }
}

/** Of a node that has no swarm. */
export const noReceipts: Receipts = {
  add: () => {},
  of: () => [],
  list: () => ({ receipts: [], total: 0 }),
};

export function receiptsView(store: Pick<Receipts, 'list'>, query: ReceiptQuery): ReceiptsView {
  const { receipts, total } = store.list(query);
  const text = (bytes: Uint8Array, as: 'hex' | 'base64') => Buffer.from(bytes).toString(as);
  return {
    total,
    receipts: receipts.map(({ way, peer, facts, receipt, signature }) => ({
      ...{ way, peer },
      request: text(facts.request, 'hex'),
      task: facts.task,
      model: facts.model,
      promptTokens: facts.promptTokens,
      completionTokens: facts.completionTokens,
      outcome: facts.outcome,
      at: facts.at,
      receipt: text(receipt, 'base64'),
      signature: text(signature, 'base64'),
    })),
  };
}

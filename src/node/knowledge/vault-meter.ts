/**
 * What questions to Eves carried, as they saw it.
 *
 * @module node/knowledge/vault-meter
 */
import { type CborMap, encodeCbor } from '../../base/index.ts';
import type { AskEve } from '../../vault/index.ts';

export interface Meter {
  /** Payloads and what says what they are, without what the link adds. */
  up: number;
  down: number;
  /** Stretches and blocks that were read, of all Eves, and how many blocks those were of. */
  reads: number;
  readonly blocks: Set<string>;
  readonly eves: Set<string>;
}

export const newMeter = (): Meter => ({ up: 0, down: 0, reads: 0, blocks: new Set(), eves: new Set() });

const sizeOf = (metadata: CborMap): number => encodeCbor(metadata).length;

export function meteredAsk(peer: string, ask: AskEve, meter: Meter): AskEve {
  return async (metadata, payload, signal) => {
    meter.up += payload.length + sizeOf(metadata);
    meter.eves.add(peer);
    if (metadata.op === 'get') {
      meter.reads += 1;
      meter.blocks.add(Buffer.from(metadata.id as Uint8Array).toString('hex'));
    }
    const reply = await ask(metadata, payload, signal);
    meter.down += reply.payload.length + sizeOf(reply.metadata);
    return reply;
  };
}

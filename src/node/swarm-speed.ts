/**
 * How fast this node writes answers with each model, for what it announces: measured on what it did for peers, and told
 * with caution, since those who ask hold it to its word.
 *
 * @module node/swarm-speed
 */
import type { PeerServiceOptions } from '../gateway/index.ts';

type ServedEngine = PeerServiceOptions['engine'];

export interface MeasuredEngine {
  readonly engine: ServedEngine;
  /** Tokens a second that a caller may expect of one answer; null before enough answers. */
  speedOf(model: string): number | null;
}

const KEPT = 16;
const LEAST_ANSWERS = 4;
const LEAST_TOKENS = 16;
/** Under the second slowest of the last answers: the way to the caller costs too. */
const CAUTION = 0.8;

export function measuredEngine(engine: ServedEngine): MeasuredEngine {
  const speeds = new Map<string, number[]>();
  return {
    engine: {
      models: () => engine.models(),
      embed: (request) => engine.embed(request),
      async *chat(request) {
        for await (const event of engine.chat(request)) {
          if (event.type === 'usage' && request.n === 1) {
            const { completionTokens, receipt } = event;
            const { model, decodeMs } = receipt;
            if ((completionTokens ?? 0) >= LEAST_TOKENS && (decodeMs ?? 0) > 0) {
              const all = speeds.get(model) ?? [];
              all.push(((completionTokens! - 1) * 1000) / decodeMs!);
              speeds.set(model, all.slice(-KEPT));
            }
          }
          yield event;
        }
      },
    },
    speedOf(model) {
      const all = [...(speeds.get(model) ?? [])].sort((a, b) => a - b);
      return all.length < LEAST_ANSWERS ? null : Math.floor(CAUTION * all[1]! * 10) / 10;
    },
  };
}

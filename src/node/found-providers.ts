/**
 * Backends that are found while the node runs come from several parts of it, each of which knows only its own.
 *
 * @module node/found-providers
 */
import type { Gateway, GatewayProvider } from '../gateway/index.ts';

/** A part's place among those who find backends. */
export type FoundSlot = Pick<Gateway, 'setFound' | 'backends'>;

/** @returns what makes a place; backends are asked in the order of the places */
export function foundProviders(gateway: FoundSlot): () => FoundSlot {
  const slots: (readonly GatewayProvider[])[] = [];
  return () => {
    const index = slots.push([]) - 1;
    return {
      backends: () => gateway.backends(),
      setFound(providers) {
        const before = slots[index]!;
        slots[index] = providers;
        try {
          gateway.setFound(slots.flat());
        } catch (error) {
          slots[index] = before;
          throw error;
        }
      },
    };
  };
}

/**
 * What is handed to those who make what Eves search: all vectors with their texts, and ways to put blocks at every Eve.
 *
 * @module node/vault-bench/building
 */
import { systemRandom } from '../../base/index.ts';
import type { CollectionKeys, SplitSource } from '../../vault/index.ts';
import type { OverEves } from './types.ts';

export function building({ data, root, eves, textOf, signal }: OverEves) {
  const source: SplitSource = {
    ...{ count: data.rows.length, dimension: data.dimension },
    *items() {
      for (const [i, vector] of data.rows.entries()) yield { vector, text: Buffer.from(textOf(i)) };
    },
  };
  const keys: CollectionKeys = root.keysOf('bench', 1);
  return {
    ...{ source, keys },
    target: {
      ...{ keys, random: systemRandom, signal },
      async put(_id: string, block: Uint8Array): Promise<void> {
        for (const { tenant } of eves.placed) await tenant.put(block);
      },
    },
  };
}

/**
 * A knowledge base for search at Eves who see perturbed vectors, which is weak: off until its owner switches it on.
 *
 * No peer can switch it on. The mode of what is placed stands in this node's own list, and a node that has nothing but its key
 * takes the word of nobody for it: an Eve who shows an old head of this mode gets no question while the setting is off.
 *
 * @module node/knowledge/vault-perturbed
 */
import { type Clock, type Config, KithError } from '../../base/index.ts';
import {
  buildPerturbed,
  type CollectionKeys,
  createPerturbedSearcher,
  decodePerturbedIndex,
  encodePerturbedIndex,
  PERTURBED_INDEX,
  PERTURBED_OBJECTS,
  type PlacedEve,
  perturbedRowBytes,
  type SplitSearcher,
  type VaultMode,
} from '../../vault/index.ts';
import { type Making, type SearchedObjects, type SearchedWork, searchedObjects } from './vault-searched.ts';

/** @throws KithError `vault_perturbed_off` */
export function requireMode(
  mode: VaultMode,
  { vault }: { readonly vault: Pick<Config['vault'], 'perturbed'> },
): void {
  if (mode !== 'perturbed' || vault.perturbed) return;
  throw new KithError(
    'vault_perturbed_off',
    "The mode 'perturbed' is switched off on this node (vault.perturbed), since it is weak: it hides text from casual inspection, not from the operator. Take 'sealed' or 'split'. If a program of yours can search nothing else: kith config set vault.perturbed true, and start the node again.",
    { status: 409 },
  );
}

/** About what it takes at each Eve, bytes: rows of vectors, and rows of passages, of which many take two. */
export const perturbedBytes = (vectors: number, dimension: number): number =>
  vectors * (perturbedRowBytes(dimension) + 2 * 1280);

const PERTURBED: Making = {
  ...{ mode: 'perturbed', prefix: PERTURBED_OBJECTS },
  enough(eves) {
    if (eves.length === 0)
      throw new KithError('vault_not_placed', 'No Eve took a block of what is searched.', { status: 503 });
  },
  make: async (source, options) =>
    new Map([[PERTURBED_INDEX, encodePerturbedIndex(await buildPerturbed(source, options))]]),
};

export const perturbedObjects = (work: SearchedWork): Promise<SearchedObjects> =>
  searchedObjects(work, PERTURBED);

/** Null: nothing of it has a vector. @throws KithError `vault_damaged`, `vault_no_object` */
export async function perturbedSearcher(parts: {
  readonly read: (name: string) => Promise<Uint8Array>;
  readonly keys: CollectionKeys;
  readonly eves: readonly PlacedEve[];
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>;
  readonly onFault: (peer: string, why: string) => void;
}): Promise<SplitSearcher | null> {
  const { read, ...asking } = parts;
  const index = decodePerturbedIndex(await read(PERTURBED_INDEX));
  return index.count === 0 ? null : createPerturbedSearcher({ ...asking, index });
}

export const PERTURBED_LEARNED = [
  'Each Eve that was asked learned about where the question lies, which passages are near it, and which were read, but not their text.',
  'Rows that an Eve leaves out of her answer nobody notices.',
] as const;

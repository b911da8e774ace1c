/**
 * A knowledge base for search at two Eves.
 *
 * @module node/knowledge/vault-split
 */
import { buildSplit, coloursOf, indexObjects, SPLIT_OBJECTS } from '../../vault/index.ts';
import { type Making, type SearchedObjects, type SearchedWork, searchedObjects } from './vault-searched.ts';

/** About what it takes at each Eve, bytes: blocks of scores, rows of vectors, and rows of passages, of which many take two. */
export const splitBytes = (vectors: number, dimension: number): number =>
  Math.ceil(vectors / 2032) * 1_572_864 + vectors * (2 * dimension + 64 + 2 * 1280);

const SPLIT: Making = {
  ...{ mode: 'split', prefix: SPLIT_OBJECTS },
  // Of each operator one Eve at least has to have everything.
  enough: (eves) => void coloursOf(eves),
  make: async (source, options) => indexObjects(await buildSplit(source, options)),
};

export const splitObjects = (work: SearchedWork): Promise<SearchedObjects> => searchedObjects(work, SPLIT);

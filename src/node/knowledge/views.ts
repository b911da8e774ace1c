/**
 * What a knowledge base has, as the routes tell it.
 *
 * @module node/knowledge/views
 */
import type { ExpandedFound, FileState, StoredChunk, StoredDocument } from '../../knowledge/index.ts';
import { cutBy, type Language, routeText } from '../../knowledge/index.ts';
import type { ChunkView, DocumentView, FileView, SearchView } from '../../server/index.ts';

export function documentView(document: StoredDocument): DocumentView {
  const { path, title, type, bytes, modified, chunks, pages, tags, notes, recipe } = document;
  return { path, title, type, bytes, modified, chunks, pages, tags, notes, chunking: cutBy(recipe) };
}

export function fileView({ path, stage, code, message, bytes, at }: FileState): FileView {
  return { path, stage, error: code === null ? null : { code, message: message ?? '' }, bytes, at };
}

export const chunkView = ({ id, path, title, text, position, place }: StoredChunk): ChunkView => ({
  ...{ id, path, title, text, position, place },
});

export function searchView(
  { hits, by, route, degraded, steps }: ExpandedFound,
  ms: number,
  language: Language = 'en',
): SearchView {
  return {
    ...{ by, degraded, steps, ms },
    route: route === null ? null : { ...route, why: routeText(route.why, language) },
    hits: hits.map(({ chunk, score, words, vector, graph, duplicates, neighbours }) => ({
      ...chunkView(chunk),
      ...{ score, words, vector, graph, duplicates },
      neighbours: neighbours.map(chunkView),
    })),
  };
}

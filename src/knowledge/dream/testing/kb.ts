/**
 * A small knowledge base for tests of dreams: files to documents as they are taken in, without vectors.
 *
 * @module knowledge/dream/testing/kb
 */
import { createHash } from 'node:crypto';
import { createManualClock } from '../../../base/index.ts';
import { mentionsOf } from '../../graph/index.ts';
import { type KnowledgeStore, openKnowledgeStore } from '../../store/index.ts';
import type { Property } from '../../types.ts';

export interface Note {
  readonly title: string;
  readonly text: string;
  readonly properties?: Readonly<Record<string, Property>>;
}

export function openNotes(notes: readonly Note[], path = ':memory:'): KnowledgeStore {
  const store = openKnowledgeStore({ path, create: { name: 'notes', clock: createManualClock(1000) } });
  for (const note of notes) putNote(store, note);
  return store;
}

export function putNote(store: KnowledgeStore, { title, text, properties = {} }: Note): void {
  const document = {
    ...{ path: `${title}.md`, title, titled: true, type: 'markdown', recipe: 'test', bytes: text.length },
    ...{ hash: new Uint8Array(createHash('sha256').update(text).digest()), modified: 1, pages: null },
    ...{ properties, tags: [], aliases: [], links: [], notes: [] },
  };
  const chunks = text.split('\n\n').map((each, position) => ({
    id: createHash('sha256').update(`${title}\n${each}`).digest('hex').slice(0, 32),
    ...{ position, title, text: each, tokens: 10, place: {} },
  }));
  store.put(document, chunks, null, mentionsOf({ title, document: { ...document, sections: [] }, chunks }));
}

export const FILMS: readonly Note[] = [
  {
    title: 'Red Dust (1932 film)',
    text: 'Red Dust is a 1932 American film directed by Victor Fleming and starring Clark Gable, Jean Harlow and Mary Astor. It is based on the play Red Dust by Wilson Collison.\n\nThe film was produced by Hunt Stromberg.',
  },
  {
    title: 'Victor Fleming',
    text: 'Victor Fleming (February 23, 1889 – January 6, 1949) was an American film director. He was born in Pasadena and married Lucile Rosson.',
    properties: { knows: '[[Clark Gable]]', employer: 'MGM' },
  },
  {
    title: 'Clark Gable',
    text: 'Clark Gable was an American actor. Gable was born in Cadiz, Ohio. W. C. Gable played beside Jean Harlow.',
  },
  {
    title: 'Pasadena',
    text: 'Pasadena is a city in Los Angeles County, California. Author: Victor Fleming\nSummers are hot. Hunt Stromberg lived there.',
  },
  {
    title: 'Jean Harlow',
    text: 'Jean Harlow was an American actress. Many summers she worked with Clark Gable.',
  },
];

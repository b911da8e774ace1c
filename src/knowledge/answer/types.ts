/**
 * What answering takes and gives.
 *
 * @module knowledge/answer/types
 */
import type { Found, Hit, SearchStep } from '../retrieve/index.ts';
import type { StoredChunk } from '../store/index.ts';
import type { Place, WriterFacts } from '../types.ts';

export type { WriteOptions, Writer, WriterFacts, WriterMessage } from '../types.ts';

/** One exchange before the question, the oldest first. */
export interface Turn {
  readonly question: string;
  readonly answer: string;
  /** Ids of chunks that the answer cited: they are kept in view. */
  readonly cited?: readonly string[];
}

/** Chunks that follow each other in a document, as one text that an answer may cite. */
export interface Source {
  /** As it is cited: `[n]`, from 1, the best first. */
  readonly n: number;
  readonly document: number;
  readonly path: string;
  /** Title and headings. */
  readonly title: string;
  /** Of its best chunk, for people: `page 3`. Empty when the file has no places. */
  readonly where: string;
  readonly text: string;
  /** What the text is made of, by position. */
  readonly chunks: readonly StoredChunk[];
  /** The best hit among them; null when an earlier turn cited it and this question did not find it. */
  readonly hit: Hit | null;
}

export interface Citation {
  /** Of the source. */
  readonly n: number;
  /** The chunk that holds the supporting sentence. */
  readonly chunk: string;
  readonly path: string;
  readonly title: string;
  readonly place: Place;
  /** From the chunk, word for word; null when nothing in it supports what cites it. */
  readonly sentence: string | null;
  readonly verified: boolean;
}

/** What is said of a sentence and does not stand in its source. */
export interface Missing {
  readonly kind: 'number' | 'name' | 'quote' | 'words' | 'negation' | 'link';
  /** As it stands in the sentence. */
  readonly what: string;
}

/**
 * `verified`: a cited source says so. `unsupported`: something of it does not stand there, or nothing is cited.
 * `plain`: says nothing that could be checked ("Here is what I found:").
 */
export type SentenceStatus = 'verified' | 'unsupported' | 'plain';

export type WarningCode =
  | 'sentence_unsupported'
  | 'citation_unknown'
  | 'citation_unsupported'
  | 'citation_moved'
  | 'citation_added'
  | 'writer_failed'
  | 'answer_cut'
  | 'rewrite_skipped'
  | 'search_degraded'
  | 'source_cut';

export interface Figures {
  readonly sentences: number;
  /** Sentences with a citation. */
  readonly cited: number;
  readonly verified: number;
  readonly unsupported: number;
  /** Sentences that the reader did not get. */
  readonly leftOut: number;
  /** Citations of sources that do not exist. */
  readonly removedCitations: number;
}

/** A model that was asked, also where nothing that it said was of use. */
export interface WriterNote extends WriterFacts {
  /**
   * `question`: to make it stand alone, from what was said before; `search`: for other ways to ask, or to put passages in order;
   * `answer`: to write it, from the sources.
   */
  readonly task: 'question' | 'search' | 'answer';
  /** Of what it wrote as an answer, before anything was left out or given instead; null for the others. */
  readonly wrote: Figures | null;
}

export type AnswerEvent =
  | {
      readonly type: 'sources';
      /** The question as it was looked up. */
      readonly question: string;
      /** By whom it was made to stand alone; null: it is as it was asked. */
      readonly rewrittenBy: 'rules' | 'writer' | null;
      readonly sources: readonly Source[];
      /** Ways that the search went, and why that of the graph was taken or not; null where it was not to be asked. */
      readonly by: Found['by'];
      readonly route: Found['route'];
      /** What was done beside searching, or skipped, and why. */
      readonly steps: readonly SearchStep[];
      /** How far what was found speaks to the question. */
      readonly support: Support;
    }
  | ({ readonly type: 'writer' } & WriterNote)
  | { readonly type: 'text'; readonly text: string }
  | ({ readonly type: 'citation' } & Citation)
  | {
      readonly type: 'sentence';
      readonly text: string;
      readonly status: SentenceStatus;
      readonly missing: readonly Missing[];
      /** False when the reader did not get it. */
      readonly given: boolean;
    }
  | { readonly type: 'warning'; readonly code: WarningCode; readonly message: string }
  | {
      readonly type: 'finish';
      /** `refused`: what was found does not answer the question; `text` said so. */
      readonly outcome: 'written' | 'extracted' | 'refused';
      /** Why it was refused, for people; null otherwise. */
      readonly reason: string | null;
      readonly figures: Figures;
      /** Stands where all of it was made for this question when it came before, or for one that means the same. */
      readonly cached?: CachedNote;
    };

export interface CachedNote {
  /** ms since it was made. */
  readonly ageMs: number;
  /** Cosine of the two questions; 1 when they are the same. */
  readonly similarity: number;
}

/** Figures behind a refusal or its absence. */
export interface Support {
  readonly enough: boolean;
  /** Share of the question's telling words, weighed by how rare they are, that the best sources have; null: it has none. */
  readonly coverage: number | null;
  /** Of the nearest chunk; null when meaning did not count. */
  readonly cosine: number | null;
  /** Cosine of the first less that of the fifth; null when there are fewer, or no cosines. */
  readonly margin: number | null;
  /** Rare words of the question that no source has. */
  readonly missing: readonly string[];
}

/**
 * What the parts of the knowledge room hand to each other: files become parsed documents, these chunks with vectors and
 * mentions, and questions find them.
 *
 * @module knowledge/types
 */

/** Makes vectors. The node gives one that asks its engine, or a provider. */
export interface Embedder {
  /** Model id, for people. */
  readonly id: string;
  /** Content hash of what computes: vectors of equal hashes may be compared, others never. */
  readonly hash: string;
  readonly dimension: number;
  /** Tokens of a text that count, without the special ones. Longer texts are cut. */
  readonly window: number;
  /** Row-major, texts.length × dimension, each row L2-normalised. */
  embed(texts: readonly string[], options: EmbedOptions): Promise<Float32Array>;
  /** Tokens of each text, without special ones. */
  countTokens(texts: readonly string[], signal?: AbortSignal): Promise<readonly number[]>;
}

export interface EmbedOptions {
  /** Some models want a different prefix for questions. */
  readonly kind: 'query' | 'passage';
  readonly signal?: AbortSignal;
}

export interface WriterMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface WriteOptions {
  /** Tokens of the answer, at most. */
  readonly maxTokens: number;
  /** 0: the likeliest token each time. */
  readonly temperature: number;
  readonly signal: AbortSignal;
  /** Told as soon as it is known who writes, and again when that changes. */
  readonly told?: (facts: WriterFacts) => void;
}

/** Who wrote, and where it was computed. */
export interface WriterFacts {
  readonly backend: string;
  readonly model: string;
  /** `owned`: another machine of the owner. Null: nothing was computed, or it is unknown. */
  readonly where: 'this_machine' | 'owned' | 'peer' | 'provider' | null;
  /** How it got there; null on this machine. */
  readonly link: 'encrypted' | 'owned_network' | 'open' | null;
  /** Privacy level that held; null where nothing leaves the machine. */
  readonly privacy: string | null;
  /** Personal data that was replaced before it left, by class; null when nothing had to be. */
  readonly replaced: readonly { readonly class: string; readonly count: number }[] | null;
  /** Backends that were sent the same, and whose answer does not count: they failed, or another was faster. */
  readonly others: readonly string[];
  /** Null: not known yet, or it was not said. */
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  /** In the unit of the owner's prices; null: unknown. */
  readonly cost: number | null;
}

/** Writes text. The node gives one that asks its gateway. */
export interface Writer {
  /** Model id, for people. */
  readonly id: string;
  /** Tokens of messages and answer together. */
  readonly context: number;
  /** Pieces of the answer as they come. Ends early when the signal fires. */
  write(messages: readonly WriterMessage[], options: WriteOptions): AsyncIterable<string>;
}

/** Reads a passage into a value of a given form. The node gives one that asks its gateway. */
export interface Extractor {
  /** Model id, for people; what it read is not read again by one with the same. */
  readonly id: string;
  /** Tokens of messages and answer together. */
  readonly context: number;
  /** JSON text; of a backend that holds answers to the schema it fits that, of others it need not. */
  extract(messages: readonly WriterMessage[], schema: unknown, options: WriteOptions): Promise<string>;
}

/** A file as a parser gives it: text in reading order, without markup. */
export interface ParsedDocument {
  /** As the file itself says; null when it does not. */
  readonly title: string | null;
  readonly sections: readonly Section[];
  readonly links: readonly Link[];
  /** Other names of what the document is about. */
  readonly aliases: readonly string[];
  readonly tags: readonly string[];
  /** Frontmatter, mail headers, document properties. */
  readonly properties: Readonly<Record<string, Property>>;
  /** Pages or slides; null where there are none. */
  readonly pages: number | null;
  /** What could not be read, and why. */
  readonly notes: readonly ParseNote[];
}

export type Property = string | number | boolean | readonly string[];

export interface Section {
  /** Headings above the text, from the outermost; empty before the first. */
  readonly headings: readonly string[];
  readonly blocks: readonly Block[];
}

export interface Block {
  /** Tables are lines of cells joined by ` | `, the head first. */
  readonly kind: 'text' | 'list' | 'table' | 'code' | 'quote';
  readonly text: string;
  readonly place: Place;
}

/** Where in the file, for the jump to the source. */
export interface Place {
  /** Page of a PDF or slide, from 1. */
  readonly page?: number;
  /** Line of a text file, from 1. */
  readonly line?: number;
  readonly sheet?: string;
  /** Chapter file of an EPUB, page of a wiki dump, part of a mail. */
  readonly part?: string;
}

export interface Link {
  /** As it stands in the file: a path, a note's name, a URL, a page's title. */
  readonly target: string;
  /** `embed`: shown in place. `person`: a sender or receiver. */
  readonly kind: 'wiki' | 'link' | 'embed' | 'category' | 'person';
  /** What is shown instead of the target; null when that itself is. */
  readonly label: string | null;
}

export interface ParseNote {
  /** `needs_ocr`: pages without text. `cut`: a limit ended it. `part_failed`: an attachment, a sheet, a page. */
  readonly code: 'needs_ocr' | 'cut' | 'part_failed' | 'encoding_guessed';
  /** For people; no end stop is missing. */
  readonly message: string;
}

/** A piece of a document that is found and cited. */
export interface Chunk {
  /**
   * 32 hexadecimal characters of the SHA-256 of title, text and how often these came before in the document: stable where
   * the content is, whatever the path. Copies of a document have equal ids; the path says which is meant.
   */
  readonly id: string;
  /** Position in the document, from 0; neighbours are one away. */
  readonly position: number;
  /** Title and headings, joined by ` › `. */
  readonly title: string;
  readonly text: string;
  /** Of title and text, as they are embedded. */
  readonly tokens: number;
  readonly place: Place;
}

/** A name in a chunk, by one of the extractors. Mentions are only ever added; what they are about is a view over them. */
export interface Mention {
  /** Position of the chunk in its document. */
  readonly chunk: number;
  /** As it stands in the text. */
  readonly surface: string;
  /** Characters of the chunk's text; null for what the title or a link says. */
  readonly span: readonly [number, number] | null;
  readonly extractor: 'title' | 'heading' | 'link' | 'alias' | 'tag' | 'gazetteer' | 'name' | 'model';
  /** 0 to 1. */
  readonly confidence: number;
}

/** Keeps only some documents. All that are given must hold. */
export interface Filter {
  /** One of these: path as in the KB, or the folder it begins with (ending in `/`). */
  readonly paths?: readonly string[];
  /** One of these. */
  readonly types?: readonly string[];
  /** All of these, or tags below them (`a/b` for `a`); capitals do not count. */
  readonly tags?: readonly string[];
  /** ms since 1970. */
  readonly modifiedFrom?: number;
  readonly modifiedTo?: number;
  /** Each equal, or among the values where the document has a list. */
  readonly properties?: Readonly<Record<string, Property>>;
  /** One of these patterns of paths: `*`, `?`, and `**` for any folders; without `/` of the name alone. */
  readonly globs?: readonly string[];
  /** All of these. */
  readonly where?: readonly PropertyTest[];
}

/** What is asked of a property; of a list, that one of its values fits. `!=` and `unset` hold for documents without it, too. */
export interface PropertyTest {
  readonly property: string;
  readonly is: '=' | '!=' | '<' | '<=' | '>' | '>=' | 'set' | 'unset';
  /** Text that reads as a number or a date counts as one. Absent for `set` and `unset`. */
  readonly value?: string | number | boolean;
}

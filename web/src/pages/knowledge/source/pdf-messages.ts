/**
 * What the page and the thread that draws PDFs tell each other.
 *
 * @module web/pages/knowledge/source/pdf-messages
 */

export interface Sought {
  /** From 1. */
  readonly page: number;
  /** To mark on it; null: nothing is cited. */
  readonly sentence: string | null;
  /** Stems of words to mark where no sentence is. */
  readonly stems: readonly string[];
}

export interface DrawOrder extends Sought {
  readonly id: number;
  /** Pixels of the screen that it is to be wide. */
  readonly width: number;
  /** Text of the passage, for a line beside it; null: none. */
  readonly passage: string | null;
}

/** All that is for that thread is wrapped: the library in it hears everything, and tells things of its own. */
export type ToDrawer = {
  readonly kith:
    | { readonly kind: 'open'; readonly url: string; readonly headers: Readonly<Record<string, string>> }
    | ({ readonly kind: 'draw' } & DrawOrder)
    /** On which page that stands which is to be marked: of a passage only the first is known. */
    | ({ readonly kind: 'find'; readonly id: number } & Sought);
};

export type FromDrawer = {
  readonly kith:
    | { readonly kind: 'opened'; readonly pages: number }
    | {
        readonly kind: 'drawn';
        readonly id: number;
        readonly bitmap: ImageBitmap;
        /** How far down the first mark is, 0 to 1; null: nothing is marked. */
        readonly at: number | null;
      }
    | { readonly kind: 'found'; readonly id: number; readonly page: number }
    | { readonly kind: 'failed'; readonly id: number | null; readonly why: string };
};

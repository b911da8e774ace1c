/** The parts that are used of packages that come without types. */

declare module 'papaparse' {
  interface ParseResult {
    readonly data: string[][];
    readonly meta: { readonly delimiter: string; readonly truncated: boolean };
  }
  interface ParseConfig {
    readonly delimiter?: string;
    readonly delimitersToGuess?: readonly string[];
    readonly preview?: number;
    readonly skipEmptyLines?: boolean | 'greedy';
  }
  const Papa: { parse(text: string, config: ParseConfig): ParseResult };
  export default Papa;
}

declare module 'word-extractor' {
  export interface WordDocument {
    getBody(): string;
    getFootnotes(): string;
    getEndnotes(): string;
    getHeaders(options?: { includeFooters?: boolean }): string;
    getAnnotations(): string;
    getTextboxes(): string;
  }
  export default class WordExtractor {
    extract(source: string | Buffer): Promise<WordDocument>;
  }
}

/**
 * Long Markdown in pieces that can be parsed alone. The parser's time and memory grow faster than its text, so that a
 * file of some megabytes would take minutes in one go.
 *
 * @module knowledge/parse/markdown-pieces
 */

export interface MarkdownPiece {
  readonly text: string;
  /** Line of the whole on which it begins, from 1. */
  readonly line: number;
}

/** Characters from which a piece ends at the next heading, and at the next line that may begin a block. */
const WANTED = 16 * 1024;
const ENOUGH = 32 * 1024;
/** A piece ends here at any line end, and a line of this length is cut: it is no text that somebody wrote. */
const MOST = 64 * 1024;

/** Splits between blocks where it can: after an empty line outside of fences, before a line that is not indented. */
export function* markdownPieces(text: string): Generator<MarkdownPiece> {
  if (text.length <= ENOUGH) {
    yield { text, line: 1 };
    return;
  }
  let from = 0;
  let fromLine = 1;
  let line = 1;
  let fence: string | null = null;
  let blank = true;
  /** The fence in which the piece begins. */
  let opened: string | null = null;
  const piece = (start: number, end: number): MarkdownPiece => {
    const inside = text.slice(start, end);
    return opened === null
      ? { text: inside, line: fromLine }
      : { text: `${opened}\n${inside}`, line: fromLine - 1 };
  };
  for (let at = 0; at < text.length; line += 1) {
    const next = text.indexOf('\n', at);
    const end = Math.min(next === -1 ? text.length : next + 1, at + MOST);
    const row = text.slice(at, Math.min(end, at + 200));
    const size = at - from;
    const splits =
      size > 0 &&
      (size >= MOST ||
        (fence === null &&
          ((size >= WANTED && /^#{1,6}\s/.test(row)) || (size >= ENOUGH && blank && /^\S/.test(row)))));
    if (splits) {
      yield piece(from, at);
      from = at;
      fromLine = line;
      opened = fence;
    }
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(row)?.[1];
    if (mark !== undefined) {
      if (fence === null) fence = mark;
      else if (mark.startsWith(fence)) fence = null;
    }
    blank = row.trim() === '';
    at = end;
  }
  if (from < text.length) yield piece(from, text.length);
}

/**
 * Markdown that grows: what can no longer change is frozen, and only the rest is read again with each frame.
 *
 * A cut in the middle of a line can change what the line is (`-` is a heading's underline until ` item` follows), so
 * blocks are frozen by complete lines only, all but the last one: a list or a paragraph goes on in the next line. What
 * a later line can still change far above is the target of a reference link; `end` reads the whole once more.
 *
 * @module web/chat/markdown/blocks
 */
import { Lexer, type Token } from 'marked';
import { blockNodes, type TreeNode } from './tree.ts';

/** A block above this is shown as plain text: reading it again with each frame would cost too much. */
export const maxBlockChars = 24_000;
/** Nesting above this is shown as plain text: the lexer calls itself for each level. */
const tooNested = /^(?:[ \t]*(?:>|[-*+]|\d{1,9}[.)])[ \t]?){12}/m;
/** A last line that may yet become something else is held back until it has more. */
const undecided = /(?:^|\n) {0,3}(?:[-+*=_>|~`]+|#{1,6}|\d{1,9}[.)]?|[-+*] +\[.?\]?)[ \t]*$/;

export interface BlockStream {
  /** Adds text. Returns every node to be shown now; the first `frozen` of them stay as they are. */
  add(text: string): View;
  /** The whole text, read once. */
  end(): View;
}

export interface View {
  readonly nodes: readonly TreeNode[];
  /** Nodes at the start that will not change before the end. */
  readonly frozen: number;
}

/** Nodes of a whole text. */
export function parseMarkdown(text: string): TreeNode[] {
  // Blocks of a sane size go through the lexer together; only one that is not is plain.
  if (tooNested.test(text) || text.length > maxBlockChars) return parseByBlocks(text);
  return nodesOf(text);
}

function nodesOf(text: string): TreeNode[] {
  return blockNodes(lex(text));
}

function lex(text: string): Token[] {
  if (tooNested.test(text)) return [plain(text)];
  try {
    return new Lexer({ gfm: true }).lex(text);
  } catch {
    // The lexer refuses what it cannot read; the reader can.
    return [plain(text)];
  }
}

function plain(text: string): Token {
  return { type: 'html', raw: text, text, block: true, pre: false };
}

/** Long texts in the way they would have streamed, so that no block above the bound reaches the lexer. */
function parseByBlocks(text: string): TreeNode[] {
  const stream = createBlockStream();
  const step = 8_192;
  for (let at = 0; at + step < text.length; at += step) stream.add(text.slice(at, at + step));
  return [...stream.add(text.slice(Math.floor((text.length - 1) / step) * step)).nodes];
}

export function createBlockStream(): BlockStream {
  let whole = '';
  /** Where the text begins that is not frozen. */
  let start = 0;
  /** Up to here complete lines were looked at. */
  let looked = 0;
  const frozen: TreeNode[] = [];
  let fence: Fence | null = null;

  /** Freezes what it can of the complete lines. */
  const freeze = (): void => {
    const end = whole.lastIndexOf('\n') + 1;
    if (end <= looked) return;
    if (fence && !closes(fence, whole.slice(looked, end))) {
      looked = end;
      return;
    }
    fence = null;
    looked = end;
    const lines = whole.slice(start, end);
    if (lines.length > maxBlockChars) {
      freezePlain(lines);
      return;
    }
    const tokens = lex(lines);
    let last = tokens.length - 1;
    while (last > 0 && tokens[last]!.type === 'space') last--;
    const settled = tokens.slice(0, Math.max(0, last));
    frozen.push(...blockNodes(settled));
    for (const token of settled) start += token.raw.length;
    fence = openFence(whole.slice(start, end));
  };

  /** A paragraph or list without end: its lines so far are plain text. */
  const freezePlain = (lines: string): void => {
    frozen.push(...blockNodes([plain(lines)]));
    start += lines.length;
  };

  const tail = (): TreeNode[] => {
    const rest = whole.slice(start);
    if (rest === '') return [];
    if (fence) return [{ kind: 'code', language: fence.language, text: codeOf(fence, rest) }];
    if (rest.length > maxBlockChars) return blockNodes([plain(rest)]);
    return nodesOf(rest.replace(undecided, ''));
  };

  return {
    add(text) {
      whole += text;
      freeze();
      const nodes = [...frozen, ...tail()];
      return { nodes, frozen: frozen.length };
    },
    end() {
      const nodes = parseMarkdown(whole);
      return { nodes, frozen: nodes.length };
    },
  };
}

interface Fence {
  readonly mark: string;
  readonly indent: number;
  readonly language: string;
  /** Length of the opening line with its line break. */
  readonly head: number;
}

/** The fence that a text begins with, when nothing in the text closes it. */
function openFence(text: string): Fence | null {
  const match = /^( {0,3})(`{3,}|~{3,})([^\n]*)\n/.exec(text);
  if (!match) return null;
  const [head, indent, mark, info] = match as unknown as [string, string, string, string];
  if (mark[0] === '`' && info.includes('`')) return null;
  const fence = {
    mark,
    indent: indent.length,
    language: /^\S*/.exec(info.trim())![0].slice(0, 40),
    head: head.length,
  };
  return closes(fence, text.slice(head.length)) ? null : fence;
}

function closes({ mark }: Fence, lines: string): boolean {
  return new RegExp(`^ {0,3}\\${mark[0]}{${mark.length},}[ \\t]*$`, 'm').test(lines);
}

/** Code so far: without the line that may become the closing fence. */
function codeOf({ mark, indent, head }: Fence, text: string): string {
  const maybeClosing = new RegExp(`(?:^|\\n) {0,3}\\${mark[0]}+[ \\t]*$`);
  const body = text.slice(head).replace(maybeClosing, '').replace(/\n$/, '');
  return indent === 0 ? body : body.replace(new RegExp(`^ {1,${indent}}`, 'gm'), '');
}

/**
 * What chunks are made of: stretches of a block that stay whole while they fit.
 *
 * @module knowledge/chunk/units
 */
import type { Block, Place } from '../types.ts';
import { estimateTokens } from './estimate.ts';
import { sentencesOf } from './sentences.ts';

export type Strategy = 'sentences' | 'paragraphs' | 'fixed';

export interface Unit {
  readonly text: string;
  /** Between it and the unit before it in a chunk. */
  readonly glue: string;
  readonly weight: number;
  readonly place: Place;
  /** Head of the table that it is a row of. */
  readonly head: string | null;
  /** Whether the next chunk may begin with it once more. */
  readonly repeats: boolean;
}

/** Longest head that is repeated, as a share of a chunk. */
const HEAD_SHARE = 0.25;

/** Units of blocks in their order, none heavier than `most`. */
export function unitsOf(blocks: readonly Block[], strategy: Strategy, most: number): Unit[] {
  const units: Unit[] = [];
  for (const block of blocks) {
    const { text, kind } = block;
    const head = kind === 'table' && strategy !== 'fixed' ? headOf(text, most * HEAD_SHARE) : null;
    let line = 0;
    let glue = '\n\n';
    for (const part of partsOf(block, strategy, most)) {
      const place =
        block.place.line === undefined ? block.place : { ...block.place, line: block.place.line + line };
      for (const piece of cut(part, most)) {
        const prose = kind === 'text' || kind === 'list' || kind === 'quote';
        units.push({ text: piece, glue, weight: estimateTokens(piece), place, head, repeats: prose });
        glue = '';
      }
      for (let at = part.indexOf('\n'); at >= 0; at = part.indexOf('\n', at + 1)) line++;
    }
  }
  return units;
}

function partsOf({ kind, text }: Block, strategy: Strategy, most: number): string[] {
  if (strategy === 'fixed') return wordsOf(text);
  if (strategy === 'paragraphs' && estimateTokens(text) <= most) return [text];
  if (kind === 'table' || kind === 'code') return linesOf(text);
  if (kind === 'list')
    return linesOf(text).flatMap((line) => (estimateTokens(line) <= most ? [line] : sentencesOf(line)));
  return sentencesOf(text);
}

function headOf(table: string, most: number): string | null {
  const end = table.indexOf('\n');
  if (end <= 0) return null;
  const head = table.slice(0, end);
  return estimateTokens(head) <= most ? head : null;
}

/** Each with its line break. */
function linesOf(text: string): string[] {
  const lines: string[] = [];
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start);
    const stop = end < 0 ? text.length : end + 1;
    lines.push(text.slice(start, stop));
    start = stop;
  }
  return lines;
}

/** Each with the space after it. */
function wordsOf(text: string): string[] {
  const words: string[] = [];
  let start = 0;
  for (let i = 1; i < text.length; i++) {
    if (isBlank(text, i - 1) && !isBlank(text, i)) {
      words.push(text.slice(start, i));
      start = i;
    }
  }
  if (start < text.length) words.push(text.slice(start));
  return words;
}

/** A part that is too heavy in pieces: by words, and words by characters. */
function cut(part: string, most: number): string[] {
  if (estimateTokens(part) <= most) return [part];
  const pieces: string[] = [];
  let piece = '';
  let weight = 0;
  const flush = () => {
    if (piece !== '') pieces.push(piece);
    piece = '';
    weight = 0;
  };
  for (const word of wordsOf(part)) {
    const heavy = estimateTokens(word);
    if (weight + heavy > most) flush();
    if (heavy > most) {
      // The least characters that may be as many tokens: one each.
      const step = Math.max(1, Math.floor(most));
      for (let at = 0; at < word.length; ) {
        const end = wholeAt(word, Math.min(word.length, at + step));
        pieces.push(word.slice(at, end));
        at = end;
      }
      continue;
    }
    piece += word;
    weight += heavy;
  }
  flush();
  return pieces;
}

/** The next index at which a text can be cut without cutting a character. */
export function wholeAt(text: string, index: number): number {
  const code = text.charCodeAt(index);
  return index > 0 && code >= 0xdc00 && code < 0xe000 ? index + 1 : index;
}

function isBlank(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code === 32 || (code >= 9 && code <= 13);
}

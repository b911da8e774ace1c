/**
 * A source as what can be given of it: whole sentences of prose, items of lists, rows of tables with the heads of their columns, and
 * code. Chunks are plain text, in which blocks stand apart by an empty line, tables are lines of cells, and code is told by its form.
 *
 * @module knowledge/answer/pieces
 */
import { sentencesOf } from '../chunk/index.ts';

export type PieceKind = 'prose' | 'item' | 'row' | 'code' | 'scrap';

export interface Piece {
  readonly kind: PieceKind;
  /** Stands in the source as it is. */
  readonly sentence: string;
  /** As it is given: a row as `head: value`, code between backticks. */
  readonly text: string;
  /** What its cell or its line is about: the first cell of a row, what stands before the colon of an item. */
  readonly key: string | null;
  /** The piece before it in its paragraph, or the one that leads to its list or code. */
  readonly before: Piece | null;
  /** Number of its block in the chunk, from 0. */
  readonly block: number;
}

/** Characters of one: what is longer is cut. */
const LONGEST = 600;
/** Lines of code that are given together. */
const MOST_CODE = 4;
/** Cells of a row that are told. */
const MOST_CELLS = 5;
/** Words of a line without an end from which it may be a sentence. */
const LEAST_WORDS = 5;

const MARKER = /^\s*(?:[-*•–]|\d{1,3}[.)])\s+/u;
const CELLS = / \|(?: |$)/u;
const ENDED = /[.!?:;…。！？：；][)"'”’»」』]*$/u;
/** Words that make a line without an end a sentence. */
const VERB =
  /\b(?:is|are|was|were|has|have|had|can|will|may|must|should|does|do|uses?|gives?|makes?|provides?|returns?|supports?|allows?|lets|needs?|ist|sind|war|hat|haben|kann|wird|werden|muss|est|sont|a|es|son|tiene)\b/u;
const CODE =
  /^\s*(?:\$ |> |#!|#include|\/\/|\/\*|import |export |const |let |var |function |class |return |await |async |if ?\(|for ?\(|while ?\(|def |from \w+ import|curl |npm |npx |yarn |pnpm |pip |apt |git |sudo |cd |make\b|docker |kith |<[?!/a-zA-Z])|[{};]\s*$|^\s*[\]})]|=>|\w\(.*\)[;,]?\s*$|^\s*["'][\w-]+["']\s*:|^\s{2,}\S+ = |= (?:function|new|await|require)\b|\s\/\/ |^\s*\w+: [^.]{0,60},$|^\S+ \[ ?-/u;
/** Shortened words of five letters and more: their point ends no sentence. */
const SHORT = /\b(?:approx|incl|excl|resp|evtl|bzgl|subsp|univ|dept)\.$/iu;

export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let lead: Piece | null = null;
  text.split(/\n[ \t]*\n/u).forEach((block, at) => {
    const before = lead?.sentence.endsWith(':') === true ? lead : null;
    const own = blockPieces(block, at, before);
    pieces.push(...own);
    lead = own.at(-1) ?? null;
  });
  return pieces;
}

function blockPieces(block: string, at: number, lead: Piece | null): Piece[] {
  const lines = block.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0) return [];
  const cells = lines.filter((line) => CELLS.test(line)).length;
  if (cells > 0 && cells >= lines.length * 0.7) return rowsOf(lines, at);
  // Prose with a line of code beside it is prose.
  const coded = lines.filter(isCode).length;
  if (coded >= Math.max(1, lines.length * 0.5)) return codeOf(block, lines, at, lead);
  if (lines.some((line) => MARKER.test(line))) return itemsOf(block, at, lead);
  return sentences(block, at, null);
}

/** A line of prose may begin with the name of a program, or end with a semicolon. */
function isCode(line: string): boolean {
  if (!CODE.test(line) || MARKER.test(line)) return false;
  if (/^\s*[$>] /u.test(line)) return true;
  if (/[.!?](?: \p{Lu}|$)|\p{L}:$/u.test(line.trim()) || line.split(/\s+/u).length > 14) return false;
  return !/;\s*$/u.test(line) || /[=(){}[\]"']/u.test(line);
}

function rowsOf(lines: readonly string[], block: number): Piece[] {
  // One line of cells is a bar of links.
  if (lines.length < 2) return [];
  const heads = cellsOf(lines[0]!);
  return lines.slice(1).flatMap((line): Piece[] => {
    const cells = cellsOf(line);
    const said = cells.filter((cell) => cell !== '');
    const sentence = bounded(line);
    if (said.length < 2 || sentence === null) return [];
    const text =
      heads.length === 2
        ? said.join(': ')
        : cells
            .slice(0, MOST_CELLS)
            .flatMap((cell, i) => (cell === '' ? [] : [heads[i] ? `${heads[i]}: ${cell}` : cell]))
            .join('; ');
    return [{ kind: 'row', sentence, text, key: cells[0] ?? null, before: null, block }];
  });
}

const cellsOf = (line: string): string[] => line.split(CELLS).map((cell) => cell.trim());

function codeOf(block: string, lines: readonly string[], at: number, before: Piece | null): Piece[] {
  const pieces: Piece[] = [];
  for (let from = 0; from < lines.length; from += MOST_CODE) {
    const some = lines.slice(from, from + MOST_CODE);
    const start = block.indexOf(some[0]!);
    const last = some.at(-1)!;
    const sentence = bounded(block.slice(start, block.indexOf(last, start) + last.length));
    if (sentence === null) continue;
    const text = some.map((line) => `\`${line.trim().replaceAll('`', '')}\``).join(' ');
    pieces.push({ ...{ kind: 'code', sentence, text, key: null, block: at }, before });
  }
  return pieces;
}

/** Each item with the lines that go on with it. */
function itemsOf(block: string, at: number, lead: Piece | null): Piece[] {
  const pieces: Piece[] = [];
  let start = 0;
  const starts: number[] = [];
  for (const line of block.split('\n')) {
    if (MARKER.test(line)) starts.push(start);
    start += line.length + 1;
  }
  let before = lead;
  if (starts[0]! > 0) {
    pieces.push(...sentences(block.slice(0, starts[0]), at, null));
    before = pieces.at(-1) ?? lead;
  }
  starts.forEach((from, i) => {
    const whole = block
      .slice(from, starts[i + 1] ?? block.length)
      .replace(MARKER, '')
      .trim();
    const key = /^([^:.]{2,60}):\s/u.exec(whole)?.[1] ?? null;
    const parts = sentences(whole, at, before);
    if (parts.length > 1 || whole.length > LONGEST) {
      pieces.push(...parts.map((each): Piece => ({ ...each, key })));
      return;
    }
    const words = whole.split(/\s+/u).length;
    const kind = words < LEAST_WORDS && key === null ? 'scrap' : 'item';
    if (whole !== '') pieces.push({ ...{ kind, sentence: whole, text: whole, key, block: at }, before });
  });
  return pieces;
}

function sentences(block: string, at: number, lead: Piece | null): Piece[] {
  const pieces: Piece[] = [];
  let before = lead;
  for (const stretch of sentencesOf(block).flatMap(apart)) {
    const trimmed = stretch.trim();
    for (let from = 0; from < trimmed.length; from += LONGEST) {
      const sentence = bounded(trimmed.slice(from, from + LONGEST));
      if (sentence === null) continue;
      const key = /^([\p{L}\p{N}][^:.?!]{1,40}):\s+\S/u.exec(sentence)?.[1] ?? null;
      const kind = ENDED.test(sentence) || key !== null || isSaid(sentence) ? 'prose' : 'scrap';
      const piece: Piece = { ...{ kind, sentence, text: sentence, key, before, block: at } };
      pieces.push(piece);
      before = piece;
    }
  }
  return pieces;
}

/** Sentences that begin with a small letter, as with the name of a setting or a program, are sentences of their own. */
function apart(stretch: string): string[] {
  const found: string[] = [];
  let start = 0;
  for (const { 0: end, index } of stretch.matchAll(/[\p{Ll}\d)`]\.\s{1,4}(?=\p{Ll})/gu)) {
    const stop = index + end.length;
    const said = stretch.slice(Math.max(0, index - 20), index + 2);
    const next = /^\S{1,80}/u.exec(stretch.slice(stop, stop + 80))?.[0] ?? '';
    const names = /[._/()]\p{L}|\p{Ll}\p{Lu}/u.test(next);
    if (
      SHORT.test(said) ||
      /\.\p{L}\.$|(?:^|[\s(])\p{Lu}\.$/u.test(said) ||
      (!names && !/(?:\p{L}{4}|\)|\d)\.$/u.test(said))
    )
      continue;
    found.push(stretch.slice(start, stop));
    start = stop;
  }
  found.push(stretch.slice(start));
  return found;
}

/** Whether a line without an end says something. Scripts without capitals are taken at their word. */
function isSaid(line: string): boolean {
  if (!/\p{Script=Latin}/u.test(line)) return true;
  return line.split(/\s+/u).length >= LEAST_WORDS && VERB.test(line);
}

function bounded(text: string): string | null {
  const cut = text.slice(0, LONGEST).toWellFormed().trim();
  return cut === '' ? null : cut;
}

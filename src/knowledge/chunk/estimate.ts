/**
 * How many tokens a text has, roughly and at once. Chunks are made by this and counted once, when they are done: asking the
 * tokenizer of each sentence would take ten times as many calls.
 *
 * On prose it is within a tenth of WordPiece, mostly above it. What has few tokens for its length (spaces, words that no
 * tokenizer knows) counts by its characters, so that no chunk is ever long.
 *
 * @module knowledge/chunk/estimate
 */

const SPACE = 0;
const LETTER = 1;
const DIGIT = 2;
const MARK = 3;
/** Scripts whose characters are tokens of their own. */
const ALONE = 4;
/** Letters of other scripts, of which a token has about two. */
const OTHER = 5;

const ASCII = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  return /[a-z]/i.test(character)
    ? LETTER
    : /[0-9]/.test(character)
      ? DIGIT
      : /\s/.test(character)
        ? SPACE
        : MARK;
});

export function estimateTokens(text: string): number {
  let tokens = 0;
  let kind = SPACE;
  let run = 0;
  for (let i = 0; i < text.length; i++) {
    const now = kindOf(text.charCodeAt(i));
    if (now === kind) {
      run++;
      continue;
    }
    tokens += tokensOfRun(kind, run);
    kind = now;
    run = 1;
  }
  return tokens + tokensOfRun(kind, run);
}

function kindOf(code: number): number {
  if (code < 128) return ASCII[code]!;
  // Latin with accents; Greek, Cyrillic, Hebrew, Arabic, Indic; then what stands alone (CJK, kana, Hangul).
  if (code < 0xa0) return MARK;
  if (code < 0xc0) return code === 0xa0 ? SPACE : MARK;
  if (code < 0x250) return LETTER;
  if (code < 0x2000) return OTHER;
  if (code < 0x2e80) return code <= 0x200a ? SPACE : MARK;
  if (code >= 0xd800 && code < 0xe000) return OTHER;
  return ALONE;
}

function tokensOfRun(kind: number, run: number): number {
  switch (kind) {
    case SPACE:
      return run >>> 3;
    case LETTER:
      // Words up to eight letters are mostly one token, longer ones pieces of about four.
      return run <= 8 ? 1 : Math.ceil(run / 4) - 1;
    case DIGIT:
      return Math.ceil(run / 2);
    case OTHER:
      return Math.ceil(run / 2);
    default:
      return run;
  }
}

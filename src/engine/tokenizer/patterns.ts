/**
 * The pre-tokenizers of byte-level BPE models: how a text is cut into words before merging, by the name a GGUF
 * gives in `tokenizer.ggml.pre`. The patterns are those the models' authors published in their tokenizer files,
 * read the way llama.cpp reads them (see `split.ts`), because that is what the GGUF was checked with.
 *
 * @module engine/tokenizer/patterns
 */

export type SplitStep =
  /** A pattern over the class text: one character per code point, non-ASCII replaced by its class. */
  | { readonly kind: 'class'; readonly pattern: RegExp }
  /** Like `class`, with Han characters in classes of their own. */
  | { readonly kind: 'han'; readonly pattern: RegExp }
  /** A pattern over the text itself, where every non-ASCII space is U+000B. */
  | { readonly kind: 'text'; readonly pattern: RegExp }
  /** Digit runs in threes from the right; what stands before a run goes with its first group. */
  | { readonly kind: 'digits' };

export interface PreTokenizer {
  readonly steps: readonly SplitStep[];
  /** Words that are tokens are taken whole, without merging. */
  readonly ignoreMerges?: boolean;
  /** Detokenizing removes the space before punctuation and in contractions. @default true */
  readonly cleanSpaces?: boolean;
  /** BOS unless the metadata says otherwise. @default false */
  readonly addBos?: boolean;
  /** The default BOS id (11) does not apply. */
  readonly noDefaultBos?: boolean;
  /** Tokens are plain UTF-8 with U+2581 for spaces and `<0xNN>` bytes, not byte-level characters. */
  readonly plainText?: boolean;
  /** Runs of newlines that are tokens are taken whole (Gemma 4). */
  readonly wholeNewlines?: boolean;
}

// Class text: ASCII stays, the rest is one of these (`split.ts`).
const N = '0-9\\xD1';
const L = 'A-Za-z\\xD2';
const P = '!-#%-*,-/:;?@\\[-\\]_{}\\xD3';
const M = '\\xD4';
const S = '$+<->\\^`|~\\xD5';
const HAN = '\\xD6';
const UPPER = 'A-Z\\xD2';
const LOWER = 'a-z\\xD2';

const contractions = "'s|'t|'re|'ve|'m|'ll|'d";
const anyContractions = "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]";
const spaces = '\\s+(?!\\S)|\\s+';
const linesAndSpaces = `\\s*[\\r\\n]+|${spaces}`;
const spacesInSteps = [512, 256, 128, 64, 32, 16, 8, 4].map((n) => `\\s{${n}}(?!\\S)`).join('|');

const classes = (source: string): SplitStep => ({ kind: 'class', pattern: new RegExp(source, 'g') });
const text = (source: string): SplitStep => ({ kind: 'text', pattern: new RegExp(source, 'gu') });

const gpt2 = classes(`${contractions}| ?[${L}]+| ?[${N}]+| ?[^\\s${L}${N}]+|\\s+(?!\\S)`);
const digit = classes(`[${N}]`);
const lines = text('[^\\n]+|\\n+');

/** Words with an optional leading mark, numbers as given, runs of punctuation, line ends, spaces. */
const words = (numbers: string, rest: string = linesAndSpaces): SplitStep =>
  classes(`(?:${anyContractions})|[^\\r\\n${L}${N}]?[${L}]+|${numbers}| ?[^\\s${L}${N}]+[\\r\\n]*|${rest}`);
/** Words cut where lower case meets upper case. */
const casedWords = (upper: string, lower: string, ending: string, numbers: string): SplitStep =>
  classes(
    `[^\\r\\n${L}${N}]?[${upper}]*[${lower}]+${ending}|[^\\r\\n${L}${N}]?[${upper}]+[${lower}]*${ending}` +
      `|${numbers}| ?[^\\s${L}${N}]+[\\r\\n/]*|${linesAndSpaces}`,
  );
const optionalContraction = `(?:${anyContractions})?`;
const wordsOrMarks = classes(
  `[!-/:-@\\[-\`{-~][A-Za-z]+|[^\\r\\n${L}${P}${S}]?[${L}${M}]+| ?[${P}${S}]+[\\r\\n]*|${linesAndSpaces}`,
);
const sentences = text(' ?[^(\\t-\\r |.,!?\u2026\u3002\uFF0C\u3001\u0964\u06D4\u060C)]+');
const cjk = text('[\\u4E00-\\u9FA5\\u0800-\\u4E00\\uAC00-\\uD7FF]+');
const chineseAndKana = text('[\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+');

/** Letters of scripts with case, as DeepSeek LLM lists them. */
const CASED =
  'A-Za-z\\u00b5\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u01ba\\u01bc-\\u01bf\\u01c4-\\u0293\\u0295-\\u02af' +
  '\\u0370-\\u0373\\u0376\\u0377\\u037b-\\u037d\\u037f\\u0386\\u0388-\\u038a\\u038c\\u038e-\\u03a1\\u03a3-\\u03f5' +
  '\\u03f7-\\u0481\\u048a-\\u052f\\u0531-\\u0556\\u10a0-\\u10c5\\u13a0-\\u13f5\\u13f8-\\u13fd\\u1c90-\\u1cba' +
  '\\u1cbd-\\u1cbf\\u1d00-\\u1d2b\\u1d6b-\\u1d77\\u1d79-\\u1d9a\\u1e00-\\u1f15\\u1f18-\\u1f1d\\u1f20-\\u1f45' +
  '\\u1f48-\\u1f4d\\u1f50-\\u1f57\\u1f59\\u1f5b\\u1f5d\\u1f5f-\\u1f7d\\u1f80-\\u1fb4\\u1fb6-\\u1fbc\\u1fbe' +
  '\\u1fc2-\\u1fc4\\u1fc6-\\u1fcc\\u1fd0-\\u1fd3\\u1fd6-\\u1fdb\\u1fe0-\\u1fec\\u1ff2-\\u1ff4\\u1ff6-\\u1ffc' +
  '\\u2102\\u2107\\u210a-\\u2113\\u2115\\u2119-\\u211d\\u2124\\u2126\\u2128\\u212a-\\u212d\\u212f-\\u2134\\u2139' +
  '\\u213c-\\u213f\\u2145-\\u2149\\u214e\\u2183\\u2184\\u2c00-\\u2c7b\\u2c7e-\\u2ce4\\u2ceb-\\u2cee\\u2cf2\\u2cf3' +
  '\\ua640-\\ua66d\\ua680-\\ua69b\\ua722-\\ua76f\\ua771-\\ua787\\ua78b-\\ua78e\\uab70-\\uabbf\\ufb00-\\ufb06' +
  '\\ufb13-\\ufb17\\uff21-\\uff3a\\uff41-\\uff5a\\u{10400}-\\u{1044f}\\u{104b0}-\\u{104d3}\\u{104d8}-\\u{104fb}' +
  '\\u{10c80}-\\u{10cb2}\\u{10cc0}-\\u{10cf2}\\u{118a0}-\\u{118df}\\u{1e900}-\\u{1e943}';

/** Scripts written without spaces, as AFMoE lists them. */
const UNSPACED =
  '\\u4e00-\\u9fff\\u3400-\\u4dbf\\u8c48-\\ufaff\\u3040-\\u309f\\u30a0-\\u30ff\\uff65-\\uff9f\\u2f00-\\u2fdf' +
  '\\u0e40-\\u0e7f\\u0e80-\\u0eff\\u1780-\\u17ff\\u1000-\\u109f\\uaa60-\\uaa7f\\ua9e0-\\ua9ff\\uac00-\\ud7af' +
  '\\u1100-\\u11ff';

const qwen2Steps = [words(`[${N}]`)];
const digitsThenGpt2 = [digit, gpt2];
const llama3Words = words(`[${N}]{1,3}`);
const deepseek3Steps = [classes(`[${N}]{1,3}`), chineseAndKana, wordsOrMarks];
const gpt4oSteps = [casedWords(UPPER, LOWER, optionalContraction, `[${N}]{1,3}`)];
const withMarks = casedWords(L + M, L + M, optionalContraction, `[${N}]{1,3}`);

const llama3: PreTokenizer = { steps: [llama3Words], ignoreMerges: true, addBos: true };
const plainGpt2: PreTokenizer = { steps: [gpt2] };
const uncleanGpt2: PreTokenizer = { steps: [gpt2], cleanSpaces: false };
const qwen2: PreTokenizer = { steps: qwen2Steps, cleanSpaces: false };
const deepseek3: PreTokenizer = { steps: deepseek3Steps, cleanSpaces: false };
const gpt4o: PreTokenizer = { steps: gpt4oSteps, cleanSpaces: false };
const bailing: PreTokenizer = {
  steps: [
    classes(
      `'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|[^\\r\\n${L}${N}]?[${L}]+|[${N}]| ?[^\\s${L}${N}]+[\\r\\n]*` +
        `|\\s*[\\r\\n]|${spaces}`,
    ),
  ],
  cleanSpaces: false,
};
const gemma4: PreTokenizer = { steps: [lines], plainText: true, wholeNewlines: true };
const tinyAya: PreTokenizer = { steps: [{ kind: 'digits' }, withMarks], cleanSpaces: false };
const glm4: PreTokenizer = { steps: [llama3Words], noDefaultBos: true };
const defaults: PreTokenizer = {
  steps: [classes(`[${P}$+<=>\\^~|]+`), gpt2, classes(`[${N}]+`), text('[0-9][0-9][0-9]')],
};

/** By `tokenizer.ggml.pre`. A name that is not here is refused: a guess would make other tokens than training. */
export const PRE_TOKENIZERS: ReadonlyMap<string, PreTokenizer> = new Map(
  Object.entries({
    '': defaults,
    default: defaults,
    minicpm5: { steps: [classes(`[${N}]{1,3}`), words(`[${N}]+`)], ignoreMerges: true },
    llama3,
    'llama-v3': llama3,
    'llama-bpe': llama3,
    falcon3: llama3,
    'falcon-h1': llama3,
    pixtral: llama3,
    'midm-2.0': llama3,
    lfm2: llama3,
    'jina-v5-nano': llama3,
    'deepseek-llm': {
      steps: [
        text('[\\r\\n]'),
        text(`[\\t-\\r ]?[${CASED}]+`),
        text('[\\t-\\r ]?[!-\\/:-~\\uFF01-\\uFF0F\\uFF1A-\\uFF5E\\u2018-\\u201F\\u3000-\\u3002]+'),
        text('[\\t-\\r ]+$'),
        cjk,
        classes(`[${N}]+`),
      ],
      cleanSpaces: false,
    },
    'deepseek-coder': {
      steps: [text('[\\r\\n]'), classes(`\\s?[${L}]+`), classes(`\\s?[${P}]+`), cjk, digit],
      cleanSpaces: false,
    },
    'deepseek-v3': deepseek3,
    'hunyuan-dense': deepseek3,
    'joyai-llm': deepseek3,
    youtu: {
      steps: [
        text(
          '[\\uAC00-\\uD7A3\\u3131-\\u318E]+|[\\uFF01\\u2026\\u201C\\u201D\\u2018\\u2019\\u2014\\uFF1A\\uFF1B\\uFF0C' +
            '\\u3001-\\u303F\\uFE30-\\uFE4F]+|[\\u3105-\\u312F]+|[\\u4E00-\\u9FA5\\u3040-\\u309F\\u30A0-\\u30FF]+',
        ),
        casedWords(L + M, L + M, optionalContraction, `[${N}]`),
      ],
      cleanSpaces: false,
      ignoreMerges: true,
    },
    falcon: { steps: [classes(`[${P}$+<=>\\^~|\`]+`), gpt2, text('[0-9][0-9][0-9]')] },
    starcoder: { steps: digitsThenGpt2 },
    refact: { steps: digitsThenGpt2 },
    codeshell: { steps: digitsThenGpt2 },
    exaone: { steps: digitsThenGpt2 },
    'minerva-7b': { steps: digitsThenGpt2 },
    mellum2: { steps: digitsThenGpt2 },
    'command-r': { steps: digitsThenGpt2, cleanSpaces: false },
    smollm: { steps: digitsThenGpt2, cleanSpaces: false },
    mpt: plainGpt2,
    'gpt-2': plainGpt2,
    'phi-2': plainGpt2,
    'jina-es': plainGpt2,
    'jina-de': plainGpt2,
    gigachat: plainGpt2,
    'jina-v2-es': plainGpt2,
    'jina-v2-de': plainGpt2,
    'a.x-4.0': plainGpt2,
    mellum: plainGpt2,
    'modern-bert': plainGpt2,
    'jina-v1-en': plainGpt2,
    'jina-v2-code': plainGpt2,
    'roberta-bpe': plainGpt2,
    olmo: plainGpt2,
    jais: plainGpt2,
    exaone4: plainGpt2,
    trillion: uncleanGpt2,
    'granite-docling': uncleanGpt2,
    'jais-2': {
      steps: [words(`[${N}]{1,3}`, `\\s*[\\r\\n]+|${spacesInSteps}|\\s{1,2}(?!\\S)|\\s`)],
    },
    gemma4,
    'granite-embed-multi-311m': gemma4,
    'sarvam-moe': { steps: [lines], plainText: true, cleanSpaces: false },
    qwen2,
    'deepseek-r1-qwen': qwen2,
    kormo: qwen2,
    f2llmv2: qwen2,
    hunyuan: qwen2,
    'solar-open': qwen2,
    megrez: { steps: qwen2Steps },
    stablelm2: { steps: qwen2Steps },
    qwen35: {
      steps: [
        classes(
          `(?:${anyContractions})|[^\\r\\n${L}${N}]?[${L}${M}]+|[${N}]| ?[^\\s${L}${M}${N}]+[\\r\\n]*|${linesAndSpaces}`,
        ),
      ],
      cleanSpaces: false,
    },
    dbrx: { steps: [llama3Words] },
    'smaug-bpe': { steps: [llama3Words] },
    glm4,
    'chatglm-bpe': glm4,
    'poro-chat': { steps: [sentences], cleanSpaces: false },
    bloom: { steps: [sentences] },
    'gpt3-finnish': { steps: [sentences] },
    viking: { steps: [sentences, digit], cleanSpaces: false },
    tekken: {
      steps: [casedWords(UPPER, LOWER, '', `[${N}]`)],
      cleanSpaces: false,
      ignoreMerges: true,
      addBos: true,
    },
    chameleon: {
      steps: [
        text('<sentinel:[0-9]+>'),
        text('IMGIMG[A-I]{1,4}Z'),
        text('[\\t\\n]| {4}| {2}'),
        digit,
        classes(`[${P}!-/:-@\\[-\`{-~]`),
        gpt2,
      ],
      cleanSpaces: false,
      addBos: true,
    },
    'gpt-4o': gpt4o,
    llama4: gpt4o,
    kanana2: gpt4o,
    talkie: gpt4o,
    'minimax-m2': gpt4o,
    'granite-embed-multi-97m': {
      steps: [casedWords(UPPER + M, LOWER + M, optionalContraction, `[${N}]{1,3}`)],
      cleanSpaces: false,
      ignoreMerges: true,
    },
    tiny_aya: tinyAya,
    cohere2moe: tinyAya,
    superbpe: { steps: [classes(`[${N}]+`), text('(?=(?:[0-9]{3})+(?![0-9]))')], cleanSpaces: false },
    bailingmoe: bailing,
    bailingmoe2: bailing,
    'llada-moe': bailing,
    'seed-coder': {
      steps: [
        classes(
          `(?:${anyContractions})|[^\\r\\n${L}${N}]?[${L}]+|[${N}]| ?[^\\s${L}${N}\\r\\n]+|${linesAndSpaces}`,
        ),
      ],
      cleanSpaces: false,
    },
    'kimi-k2': {
      steps: [
        {
          kind: 'han',
          pattern: new RegExp(
            `[${HAN}\\xD7]+|[^\\r\\n${L}${N}${HAN}]?[${L}]+${optionalContraction}|[${N}]{1,3}` +
              `| ?[^\\s${L}${N}${HAN}]+[\\r\\n]*|${linesAndSpaces}`,
            'g',
          ),
        },
      ],
      cleanSpaces: false,
    },
    'grok-2': qwen2,
    afmoe: { steps: [{ kind: 'digits' }, text(`[${UNSPACED}]+`), wordsOrMarks], cleanSpaces: false },
    laguna: { steps: [lines, ...qwen2Steps], cleanSpaces: false },
    'exaone-moe': {
      steps: [
        classes(
          `(?:${anyContractions})|[^\\r\\n${L}${N}]?(?:[${L}][${M}]*(?: [${L}][${M}]*)*)+|[${N}]` +
            `| ?[^\\s${L}${N}]+[\\r\\n/]?|\\s*[\\r\\n]|${spaces}`,
        ),
      ],
    },
  } satisfies Record<string, PreTokenizer>),
);

/**
 * Which `tokenizer.ggml.pre` a byte-level BPE tokenizer.json needs. llama.cpp has the splitting rules built in
 * under names; the regular expression in tokenizer.json says which name it is. A wrong name would tokenize
 * quietly in another way, so an unknown rule is an error.
 *
 * @module models/import/pre-tokenizer
 */

import { InputError } from '../../base/index.ts';
import { describe, isObject, type JsonObject } from './json.ts';

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const TAIL = String.raw`| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const SLASH_TAIL = String.raw`| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const UPPER = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const LOWER = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;
const LEAD = String.raw`[^\r\n\p{L}\p{N}]?`;

/** GPT-2's own rule, which a ByteLevel step applies with `use_regex`. */
const GPT2 = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;
const LLAMA3 = `${CONTRACTIONS}|${LEAD}\\p{L}+|\\p{N}{1,3}${TAIL}`;

/** Rule in tokenizer.json (one or more split steps joined by a line feed) -> name in llama.cpp. */
const RULES: ReadonlyMap<string, string> = new Map([
  [GPT2, 'gpt-2'],
  [LLAMA3, 'llama-bpe'],
  [`${CONTRACTIONS}|${LEAD}\\p{L}+|\\p{N}${TAIL}`, 'qwen2'],
  [
    `${CONTRACTIONS}|${LEAD}[\\p{L}\\p{M}]+|\\p{N}${TAIL.replace('[^\\s\\p{L}\\p{N}]', '[^\\s\\p{L}\\p{M}\\p{N}]')}`,
    'qwen35',
  ],
  [`${LEAD}${UPPER}*${LOWER}+|${LEAD}${UPPER}+${LOWER}*|\\p{N}${SLASH_TAIL}`, 'tekken'],
  [
    `${LEAD}${UPPER}*${LOWER}+${CONTRACTIONS}?|${LEAD}${UPPER}+${LOWER}*${CONTRACTIONS}?|\\p{N}{1,3}${SLASH_TAIL}`,
    'gpt-4o',
  ],
  [`<digits>\n${GPT2}`, 'smollm'],
]);

/** Names that this file can detect, for documentation and tests. */
export const KNOWN_PRE_TOKENIZERS: readonly string[] = [...new Set([...RULES.values(), 'smaug-bpe'])];

/**
 * @param tokenizer parsed tokenizer.json
 * @throws InputError `tokenizer_pre` naming the rule that is not known
 */
export function detectPreTokenizer(tokenizer: JsonObject): string {
  const rule = steps(tokenizer.pre_tokenizer, 0).join('\n');
  const name = RULES.get(rule);
  const ignoreMerges = isObject(tokenizer.model) && tokenizer.model.ignore_merges === true;
  if (name === 'llama-bpe') {
    // llama.cpp's `llama-bpe` takes a word that is a token as it is, without merging; the same rule without that
    // shortcut is `smaug-bpe`.
    return ignoreMerges ? name : 'smaug-bpe';
  }
  if (name !== undefined) return name;
  throw new InputError(
    'tokenizer_pre',
    `tokenizer.json splits text by a rule that is not known: ${describe(rule)}. Known are ${KNOWN_PRE_TOKENIZERS.join(', ')}. Use a ready-made GGUF of this model.`,
  );
}

/** The splitting steps of a pre_tokenizer, flattened; steps that do not split are left out. */
function steps(step: unknown, depth: number): string[] {
  if (step === null || step === undefined) return [];
  if (!isObject(step) || depth > 4) {
    throw new InputError('tokenizer_pre', 'tokenizer.json: pre_tokenizer is no object of a known shape.');
  }
  switch (step.type) {
    case 'Sequence': {
      const list = Array.isArray(step.pretokenizers) ? step.pretokenizers : [];
      return list.flatMap((inner: unknown) => steps(inner, depth + 1));
    }
    case 'ByteLevel':
      if (step.add_prefix_space === true) {
        throw new InputError(
          'tokenizer_pre',
          'tokenizer.json puts a space before the text (ByteLevel add_prefix_space), which no known pre-tokenizer does.',
        );
      }
      // Absent means true in the format.
      return step.use_regex === false ? [] : [GPT2];
    case 'Digits':
      return [step.individual_digits === true ? '<digits>' : '<digit runs>'];
    case 'Split': {
      const pattern = isObject(step.pattern) ? (step.pattern.Regex ?? step.pattern.String) : undefined;
      if (typeof pattern !== 'string') {
        throw new InputError('tokenizer_pre', 'tokenizer.json: a Split step has no pattern.');
      }
      const isolated = step.behavior === 'Isolated' && step.invert !== true;
      // Qwen's and OpenAI's files say Removed + invert, which keeps the matches: the same split.
      const kept = step.behavior === 'Removed' && step.invert === true;
      return [isolated || kept ? pattern : `<${String(step.behavior)}>${pattern}`];
    }
    default:
      return [`<${String(step.type)}>`];
  }
}

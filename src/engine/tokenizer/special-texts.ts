/**
 * Tokens that are known by their text. GGUF files name only a few special ids, so llama.cpp finds the others by
 * how they are written, and so must everyone who wants the same tokens and the same ends of generation.
 *
 * @module engine/tokenizer/special-texts
 */

/** Roles that an id may be given for in the metadata, and the texts that stand for them when it is not. */
export const ROLE_TEXTS = {
  eot: [
    '<|eot_id|>',
    '<|im_end|>',
    '<|end|>',
    '<end_of_turn>',
    '<|endoftext|>',
    '<|end_of_text|>',
    '<EOT>',
    '_<EOT>',
    '[EOT]',
    '<｜end▁of▁sentence｜>',
    '<end_of_utterance>',
  ],
  eom: ['<|eom_id|>'],
  fimPrefix: [
    '<|fim_prefix|>',
    '<fim-prefix>',
    '<fim_prefix>',
    '<｜fim▁begin｜>',
    '<PRE>',
    '▁<PRE>',
    '<|code_prefix|>',
    '<|prefix|>',
  ],
  fimSuffix: [
    '<|fim_suffix|>',
    '<fim-suffix>',
    '<fim_suffix>',
    '<｜fim▁hole｜>',
    '<SUF>',
    '▁<SUF>',
    '<|code_suffix|>',
    '<|suffix|>',
  ],
  fimMiddle: [
    '<|fim_middle|>',
    '<fim-middle>',
    '<fim_middle>',
    '<｜fim▁end｜>',
    '<MID>',
    '▁<MID>',
    '<|code_middle|>',
    '<|middle|>',
  ],
  fimPad: ['<|fim_pad|>', '<fim-pad>', '<fim_pad>', '<PAD>', '[PAD]'],
  fimRepository: ['<|fim_repo|>', '<|repo_name|>', '<fim-repo>', '<REPO>', '<reponame>'],
  fimSeparator: ['<|file_sep|>'],
} as const;

export type Role = keyof typeof ROLE_TEXTS;

/** Metadata keys of those roles; where there are two, the later one wins. */
export const ROLE_KEYS: Readonly<Record<Role, readonly string[]>> = {
  eot: ['tokenizer.ggml.eot_token_id'],
  eom: ['tokenizer.ggml.eom_token_id'],
  fimPrefix: ['tokenizer.ggml.fim_pre_token_id', 'tokenizer.ggml.prefix_token_id'],
  fimSuffix: ['tokenizer.ggml.fim_suf_token_id', 'tokenizer.ggml.suffix_token_id'],
  fimMiddle: ['tokenizer.ggml.fim_mid_token_id', 'tokenizer.ggml.middle_token_id'],
  fimPad: ['tokenizer.ggml.fim_pad_token_id'],
  fimRepository: ['tokenizer.ggml.fim_rep_token_id'],
  fimSeparator: ['tokenizer.ggml.fim_sep_token_id'],
};

/** Roles whose token ends a generation. */
export const ENDING_ROLES: readonly Role[] = ['fimPad', 'fimRepository', 'fimSeparator', 'eot', 'eom'];

/** Texts that end a generation wherever they are in a vocabulary. */
export const ENDING_TEXTS: readonly string[] = [
  '<|eot_id|>',
  '<|im_end|>',
  '<|end|>',
  '<|return|>',
  '<|call|>',
  '<|flush|>',
  '<|calls|>',
  '<end_of_turn>',
  '<|endoftext|>',
  '</s>',
  '<|eom_id|>',
  '<EOT>',
  '_<EOT>',
  '[EOT]',
  '[EOS]',
  '<|end_of_text|>',
  '<end_of_utterance>',
  '<eos>',
  '<turn|>',
  '<|tool_response>',
  '<｜end▁of▁sentence｜>',
  '[e~[',
];

/** gpt-oss writes these into running text, so they are shown although the file calls them control tokens. */
export const SHOWN_TEXTS: readonly string[] = ['<|channel|>', '<|message|>', '<|start|>', '<|constrain|>'];

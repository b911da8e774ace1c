/** `tokenizer.ggml.token_type` values (llama.cpp's `llama_token_type`). @module models/import/token-types */

export const TOKEN_TYPE = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/**
 * The compatibility runner: a GGUF whose architecture has no graph of ours, or whose tokenizer is not written in
 * TypeScript, loaded whole through node-llama-cpp in the engine process. It tokenizes with the library's tokenizer,
 * knows no block ranges, and says `runner: 'node-llama-cpp'` wherever the model is shown.
 *
 * @module engine/whole
 */

export { openWholeModel, type WholeInput } from './model.ts';

/**
 * The text thread: prompts to tokens off the main thread. Chat templates come from model files and are untrusted, so
 * they run in a process of their own with a time and a memory limit, beside the tokenizers. In: messages, text or tokens. Out:
 * token ids, the text they stand for, and where the template came from. It never runs a model.
 *
 * @example
 * await using text = createTextThread();
 * await text.open('tinyllama', '/models/tinyllama.gguf');
 * const { tokens } = await text.prepare('tinyllama', {
 *   kind: 'messages',
 *   messages: [{ role: 'user', content: 'Hello' }],
 * });
 *
 * @module engine/text
 */

export type { TemplateSource } from './choose-template.ts';
export type { PreparedPrompt, TextInfo } from './model-text.ts';
export type { TextOptions } from './protocol.ts';
export { createTextThread, type OpenTextOptions, type TextThread, type TextThreadOptions } from './thread.ts';

/**
 * Markdown on the page, as one chunk: it is fetched while the first question is being written.
 *
 * @module web/chat/markdown
 */
export { type BlockStream, createBlockStream, parseMarkdown } from './blocks.ts';
export { colourCode, type Labels, patch } from './dom.ts';
export type { TreeNode } from './tree.ts';

/**
 * Conversations as files: Markdown for reading, JSON for programs.
 *
 * @module web/data/export
 */
import type { Conversation, Thread } from './archive.ts';

export function asMarkdown({ title, created }: Conversation, { turns }: Thread): string {
  const parts = [`# ${oneLine(title)}`, `*${new Date(created).toISOString()}*`];
  for (const { question, answer } of turns) {
    parts.push(quoted(question), answer.text === '' ? `*(${answer.state})*` : answer.text.trim());
    const { receipt, usage } = answer;
    if (receipt) {
      const tokens = usage ? `, ${usage.completion_tokens} tokens` : '';
      parts.push(`*${oneLine(receipt.model)} (${oneLine(receipt.backend)})${tokens}*`);
    }
  }
  return `${parts.join('\n\n')}\n`;
}

/** Version of the shape below; it changes when a field changes its meaning. */
export const exportVersion = 1;

export function asJson(
  items: readonly { readonly conversation: Conversation; readonly thread: Thread }[],
): string {
  const conversations = items.map(({ conversation, thread }) => ({ ...conversation, turns: thread.turns }));
  return `${JSON.stringify({ kith: 'conversations', version: exportVersion, conversations }, null, 2)}\n`;
}

const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim();
/** A question as a quotation: its own headings and fences stay inside it. */
const quoted = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => `> ${line}`.trimEnd())
    .join('\n');

export function fileName(title: string, extension: string): string {
  const base = title
    .normalize('NFKC')
    .replace(/[^\p{L}\p{N} _-]+/gu, '')
    .trim()
    .replace(/\s+/g, '-')
    .slice(0, 60);
  return `${base || 'conversation'}.${extension}`;
}

export function download(name: string, text: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken the blob when the click returns; the pause is for those that take it later.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

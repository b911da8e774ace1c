/**
 * Conversations in a terminal: messages as they are typed or piped in, one after the other, and what Ctrl-C does meanwhile.
 *
 * @module cli/typed
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { isKithError, readFileBounded, writeFileAtomic } from '../base/index.ts';
import { print } from './output.ts';

/** What Ctrl-C ends before it ends the conversation. */
export interface Answering {
  readonly answering: boolean;
  stop(): void;
}

export type Outcome = 'ok' | 'failed' | 'exit';

export interface TypedOptions {
  /** Where what was typed is kept for the arrow keys. */
  readonly historyFile: string;
  readonly answering: Answering;
  /** Said before the first message, on a terminal. */
  readonly greeting: string;
}

/** Lines that arrive within this time of each other are one message: a paste, ms. */
const pasteMs = 20;
const historyLines = 500;
const prompt = '> ';

/** Takes messages until the user ends it, or from a pipe until one fails. @returns false when that was so */
export async function converse(
  { historyFile, answering, greeting }: TypedOptions,
  take: (message: string) => Promise<Outcome>,
): Promise<boolean> {
  const terminal = process.stdin.isTTY === true;
  const lines = createInterface({
    input: process.stdin,
    output: terminal ? process.stdout : undefined,
    prompt,
    terminal,
    historySize: historyLines,
    removeHistoryDuplicates: true,
    history: terminal ? await readHistory(historyFile) : [],
  } as Parameters<typeof createInterface>[0]);
  let history: string[] = [];
  lines.on('history', (list: string[]) => {
    history = [...list];
  });
  if (terminal) print(greeting);
  let failed = false;
  try {
    for await (const message of messages(lines, terminal, answering)) {
      const outcome = await take(message);
      if (outcome === 'exit') break;
      failed = outcome === 'failed';
      // A script that pipes its questions in has to learn that one failed.
      if (failed && !terminal) break;
    }
  } finally {
    lines.close();
    if (terminal && history.length > 0) await saveHistory(historyFile, history);
  }
  return terminal || !failed;
}

/**
 * Messages as they are typed. On a terminal, lines that come in one burst are one message, and `"""` opens and ends
 * a message of several lines; from a pipe each line is a message. Ctrl-C stops the answer in progress, then
 * clears the line, then ends.
 */
async function* messages(
  lines: Interface,
  terminal: boolean,
  conversation: Answering,
): AsyncGenerator<string> {
  const waiting: string[] = [];
  let burst: string[] = [];
  let fence: string[] | null = null;
  let timer: NodeJS.Timeout | null = null;
  let closed = false;
  let wake: () => void = () => {};
  const flush = () => {
    timer = null;
    const message = burst.join('\n').trim();
    burst = [];
    if (message !== '') waiting.push(message);
    wake();
  };
  lines.on('line', (line) => {
    if (fence !== null) {
      const end = line.indexOf('"""');
      fence.push(end < 0 ? line : line.slice(0, end));
      if (end < 0) return;
      burst.push(...fence);
      fence = null;
    } else if (line.trimStart().startsWith('"""')) {
      fence = [line.trimStart().slice(3)];
      return;
    } else burst.push(line);
    if (!terminal) return flush();
    if (timer) clearTimeout(timer);
    timer = setTimeout(flush, pasteMs);
  });
  lines.on('SIGINT', () => {
    if (conversation.answering) conversation.stop();
    else if (fence !== null || lines.line !== '') {
      fence = null;
      print();
      // Ctrl-U: forgets what was typed on the line.
      lines.write(null, { ctrl: true, name: 'e' });
      lines.write(null, { ctrl: true, name: 'u' });
      lines.prompt();
    } else lines.close();
  });
  process.on('SIGINT', () => (conversation.answering ? conversation.stop() : lines.close()));
  lines.on('close', () => {
    if (timer) clearTimeout(timer);
    if (fence !== null) burst.push(...fence);
    closed = true;
    if (conversation.answering && terminal) conversation.stop();
    flush();
  });
  for (;;) {
    while (waiting.length > 0) yield waiting.shift()!;
    if (closed) return;
    if (terminal) lines.prompt();
    await new Promise<void>((resolve) => {
      wake = resolve;
      if (waiting.length > 0 || closed) resolve();
    });
  }
}

async function readHistory(path: string): Promise<string[]> {
  try {
    const lines = new TextDecoder().decode(await readFileBounded(path, 1024 * 1024)).split('\n');
    return lines.filter((line) => line !== '').slice(0, historyLines);
  } catch (error) {
    if (isKithError(error)) return [];
    throw error;
  }
}

async function saveHistory(path: string, history: readonly string[]): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true, mode: 0o700 });
  await writeFileAtomic(path, `${history.slice(0, historyLines).join('\n')}\n`, { mode: 0o600 });
}

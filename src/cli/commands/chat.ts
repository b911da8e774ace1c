/** `kith chat`: a conversation in the terminal. @module cli/commands/chat */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { isKithError, messageOf, readFileBounded, writeFileAtomic } from '../../base/index.ts';
import { Conversation } from '../conversation.ts';
import { exitCode } from '../failure.ts';
import { asTyped, paint, print, say } from '../output.ts';
import type { Handler } from '../program.ts';
import { quietLog } from '../quiet-log.ts';
import { settingsOf } from '../settings.ts';
import { openTalk } from '../talk.ts';

/** Lines that arrive within this time of each other are one message: a paste, ms. */
const pasteMs = 20;
const historyLines = 500;
const prompt = '> ';

const run: Handler = async ({ args, options }) => {
  const resolved = settingsOf(options);
  const { config } = resolved;
  await using talk = await openTalk(resolved, quietLog());
  const conversation = new Conversation(talk, {
    model: (args[0] as string | undefined) ?? (options.defaultModel as string | undefined) ?? null,
    defaultModel: config.models.default,
    system: options.system as string | undefined,
    maxTokens: options.maxTokens as number | undefined,
    temperature: options.temperature as number | undefined,
    seed: options.seed as number | undefined,
  });
  const terminal = process.stdin.isTTY === true;
  const historyFile = join(config.home, 'cli', 'chat-history');
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
  if (terminal) {
    print(
      paint(
        'dim',
        `Talking to ${conversation.model}${talk.where === 'node' ? ' through the running node' : ''}. /help shows the commands, Ctrl-C ends.`,
      ),
    );
  }
  let failed = false;
  try {
    for await (const message of messages(lines, terminal, conversation)) {
      const outcome = await turn(conversation, message);
      if (outcome === 'exit') break;
      failed = outcome === 'failed';
      // A script that pipes its questions in has to learn that one failed.
      if (failed && !terminal) break;
    }
  } finally {
    lines.close();
    if (terminal && history.length > 0) await saveHistory(historyFile, history);
  }
  return failed && !terminal ? exitCode.failure : exitCode.ok;
};
export default run;

async function turn(conversation: Conversation, message: string): Promise<'ok' | 'failed' | 'exit'> {
  try {
    if (message.startsWith('/')) return await conversation.command(message);
    await conversation.ask(message, (text) => process.stdout.write(text));
    print();
    return 'ok';
  } catch (error) {
    if (isKithError(error) && error.code === 'aborted') {
      print(paint('dim', ' (stopped)'));
      return 'ok';
    }
    say(`${paint('red', 'error:', process.stderr)} ${asTyped(messageOf(error))}`);
    return 'failed';
  }
}

/**
 * Messages as they are typed. On a terminal, lines that come in one burst are one message, and `"""` opens and ends
 * a message of several lines; from a pipe each line is a message. Ctrl-C stops the answer in progress, then
 * clears the line, then ends.
 */
async function* messages(
  lines: Interface,
  terminal: boolean,
  conversation: Conversation,
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

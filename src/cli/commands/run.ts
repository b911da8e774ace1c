/** `kith run "prompt"`: one answer. @module cli/commands/run */
import { UsageError } from '../failure.ts';
import { onInterrupt } from '../interrupt.ts';
import { print, printJson, say } from '../output.ts';
import type { Handler } from '../program.ts';
import { quietLog } from '../quiet-log.ts';
import { settingsOf } from '../settings.ts';
import { readStdin, stdinEnds } from '../stdin.ts';
import { openTalk, type TalkMessage, type TalkUsage } from '../talk.ts';

/** What stands behind the command, with what is piped in. */
export async function promptOf(words: readonly string[], command = 'kith run'): Promise<string> {
  const given = words.join(' ').trim();
  const piped = given === '' || given === '-' ? !process.stdin.isTTY : stdinEnds();
  const parts = [given === '-' ? '' : given, piped ? (await readStdin()).trim() : ''].filter(
    (part) => part !== '',
  );
  if (parts.length === 0)
    throw new UsageError(`There is no prompt: ${command} "your question", or pipe it in.`);
  return parts.join('\n\n');
}

const run: Handler = async ({ args, options }) => {
  const resolved = settingsOf(options);
  const prompt = await promptOf((args[0] as string[] | undefined) ?? []);
  const messages: TalkMessage[] = [{ role: 'user', content: prompt }];
  if (typeof options.system === 'string') messages.unshift({ role: 'system', content: options.system });
  using interrupt = onInterrupt();
  await using talk = await openTalk(resolved, quietLog());
  let text = '';
  let finish: string | null = null;
  let usage: TalkUsage | null = null;
  const events = talk.chat(
    {
      model: (options.model as string | undefined) ?? null,
      messages,
      maxTokens: options.maxTokens as number | undefined,
      temperature: options.temperature as number | undefined,
      seed: options.seed as number | undefined,
    },
    interrupt.signal,
  );
  for await (const event of events) {
    if (event.type === 'text') {
      // Templates often leave a space before the first word.
      const piece = text === '' ? event.text.trimStart() : event.text;
      text += piece;
      if (!options.json) process.stdout.write(piece);
    } else if (event.type === 'finish') finish = event.reason;
    else usage = event;
  }
  if (options.json) {
    printJson({ model: usage?.model ?? null, text, finish_reason: finish, usage: usage && jsonUsage(usage) });
    return;
  }
  if (!text.endsWith('\n')) print();
  if (finish === 'length') say('(cut off: the limit of tokens or time was reached)');
};
export default run;

function jsonUsage(usage: TalkUsage) {
  return {
    prompt_tokens: usage.promptTokens,
    cached_tokens: usage.cachedTokens,
    completion_tokens: usage.completionTokens,
    queue_ms: usage.queueMs,
    prefill_ms: usage.prefillMs,
    decode_ms: usage.decodeMs,
  };
}

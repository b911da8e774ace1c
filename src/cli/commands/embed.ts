/** `kith embed "text"...`: vectors. @module cli/commands/embed */
import { UsageError } from '../failure.ts';
import { onInterrupt } from '../interrupt.ts';
import { print, printJson, say } from '../output.ts';
import type { Handler } from '../program.ts';
import { quietLog } from '../quiet-log.ts';
import { settingsOf } from '../settings.ts';
import { readStdin } from '../stdin.ts';
import { openTalk } from '../talk.ts';

const run: Handler = async ({ args, options }) => {
  const resolved = settingsOf(options);
  let texts = (args[0] as string[] | undefined) ?? [];
  if (texts.length === 0 && !process.stdin.isTTY)
    texts = (await readStdin()).split(/\r?\n/).filter((line) => line.trim() !== '');
  if (texts.length === 0)
    throw new UsageError('There is no text: kith embed "a text" "another", or pipe one per line.');
  using interrupt = onInterrupt();
  await using talk = await openTalk(resolved, quietLog());
  const answer = await talk.embed((options.model as string | undefined) ?? null, texts, interrupt.signal);
  const dimension = answer.vectors[0]?.length ?? 0;
  if (options.json) {
    printJson({
      model: answer.model,
      dimension,
      tokens: answer.tokens,
      data: texts.map((text, index) => ({ text, embedding: answer.vectors[index] })),
    });
    return;
  }
  for (const vector of answer.vectors) print(vector.map((value) => Number(value.toPrecision(7))).join(' '));
  say(`${texts.length} × ${dimension} numbers by ${answer.model}, one text per line`);
};
export default run;

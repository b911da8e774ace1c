/** `kith chat`: a conversation in the terminal. @module cli/commands/chat */
import { join } from 'node:path';
import { isKithError, messageOf } from '../../base/index.ts';
import { Conversation } from '../conversation.ts';
import { exitCode } from '../failure.ts';
import { asTyped, paint, print, say } from '../output.ts';
import type { Handler } from '../program.ts';
import { quietLog } from '../quiet-log.ts';
import { settingsOf } from '../settings.ts';
import { openTalk } from '../talk.ts';
import { converse, type Outcome } from '../typed.ts';

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
  const went = await converse(
    {
      historyFile: join(config.home, 'cli', 'chat-history'),
      answering: conversation,
      greeting: paint(
        'dim',
        `Talking to ${conversation.model}${talk.where === 'node' ? ' through the running node' : ''}. /help shows the commands, Ctrl-C ends.`,
      ),
    },
    (message) => turn(conversation, message),
  );
  return went ? exitCode.ok : exitCode.failure;
};
export default run;

async function turn(conversation: Conversation, message: string): Promise<Outcome> {
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

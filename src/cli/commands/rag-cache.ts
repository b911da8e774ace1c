/** `kith rag cache`: answers that are kept for questions which come again. @module cli/commands/rag-cache */
import { formatBytes, formatPlural } from '../../base/index.ts';
import { UsageError } from '../failure.ts';
import { asTyped, print, printJson } from '../output.ts';
import type { Handler } from '../program.ts';
import { withRag } from '../rag-desk.ts';

export const cache: Handler = async ({ args, options }) => {
  const name = String(args[0]);
  const action = args[1] ?? 'stats';
  if (action !== 'stats' && action !== 'clear')
    throw new UsageError(
      `'${String(action).slice(0, 80)}' is nothing to do with kept answers: stats or clear.`,
    );
  if (action === 'clear') {
    const removed = await withRag(options, ({ desk }) => desk.cache.clear(name));
    if (options.json) printJson({ removed });
    else print(`${formatPlural(removed, 'answer')} removed`);
    return;
  }
  const told = await withRag(options, ({ desk }) => desk.cache.stats(name));
  if (options.json) {
    printJson(told);
    return;
  }
  const { mode, answers, bytes, hits } = told;
  print(
    `${formatPlural(answers, 'answer')} kept (${formatBytes(bytes)}), given again ${formatPlural(hits, 'time')}`,
  );
  if (mode === 'off') print(asTyped('None is kept now. To keep some: kith config set knowledge.cache same'));
};

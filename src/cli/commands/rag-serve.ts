/** `kith rag serve`: some knowledge bases for other programs, until Ctrl-C. @module cli/commands/rag-serve */
import { isKithError, KithError, systemClock, systemRandom } from '../../base/index.ts';
import { serveKnowledge } from '../../node/index.ts';
import type { SurfaceDesk } from '../../server/index.ts';
import { connect } from '../client.ts';
import { onInterrupt } from '../interrupt.ts';
import { asTyped, paint, print, printJson, say } from '../output.ts';
import type { Handler } from '../program.ts';
import { quietLog } from '../quiet-log.ts';
import { overHttp, type RagDesk, withRag } from '../rag-desk.ts';
import { settingsOf } from '../settings.ts';
import { version } from '../version.ts';

export const serve: Handler = async ({ args, options }) => {
  const { config } = settingsOf(options);
  const asked = (args[0] as readonly string[] | undefined) ?? [];
  using interrupt = onInterrupt();
  const { signal } = interrupt;
  await withRag(options, async ({ desk, isHere }) => {
    // Those that are there now: what is made later was not meant.
    const names = asked.length > 0 ? [...new Set(asked)] : (await desk.list()).map(({ name }) => name);
    for (const name of asked) await desk.show(name);
    if (names.length === 0)
      throw new KithError(
        'kb_unknown',
        'There is no knowledge base to serve. `kith rag init NAME` makes one.',
        { status: 404 },
      );
    await using serving = await serveKnowledge({
      ...{ config, names, version, log: quietLog(), clock: systemClock, random: systemRandom },
      desk: isHere ? desk : overRestarts(config.home, desk),
      ...{ host: String(options.host), port: options.port as number, key: options.key === true },
    }).catch((error: unknown) => {
      // The setting that the message names is that of the node's own port.
      if (!isKithError(error) || error.code !== 'port_in_use') throw error;
      throw new KithError(
        'port_in_use',
        `Port ${String(options.port)} on ${String(options.host)} is taken by another program. Choose another one with --port N.`,
        { status: 500, cause: error },
      );
    });
    const { url, needsKey, newKey } = serving;
    const base = `${url}/v1`;
    if (options.json)
      printJson({ event: 'up', url: base, knowledge_bases: names, needs_key: needsKey, key: newKey });
    else {
      print(
        `${names.join(', ')} at ${paint('bold', base)}, ${isHere ? 'opened here' : 'through the running node'}`,
      );
      if (newKey !== null) {
        say('The key for it. Keep it: it is shown this once.');
        print(newKey);
      } else if (needsKey) say(asTyped('Programs need a key that opens them: kith keys list'));
      say('Ctrl-C ends it.');
    }
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  });
};

/** Codes of a node that is gone, or is another one by now. */
const GONE: ReadonlySet<string> = new Set(['node_unreachable', 'invalid_token', 'node_lost']);

/** The desk of the running node, also when that is started anew. */
function overRestarts(home: string, first: RagDesk['desk']): SurfaceDesk {
  let desk = first;
  async function again<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!isKithError(error) || !GONE.has(error.code)) throw error;
      const node = await connect(home);
      if (node === null)
        throw new KithError('node_down', 'The node that keeps these knowledge bases does not run now.', {
          ...{ status: 503, retryAfter: 5, cause: error },
        });
      desk = overHttp(node);
      return work();
    }
  }
  return {
    list: () => again(() => desk.list()),
    search: (...given) => again(() => desk.search(...given)),
    upload: (...given) => again(() => desk.upload(...given)),
    job: (...given) => again(() => desk.job(...given)),
    answers: {
      // With its first event, so that a node which is gone shows before anything is given.
      answer: (...given) =>
        again(async () => {
          const events = (await desk.answers.answer(...given))[Symbol.asyncIterator]();
          const first = await events.next();
          return (async function* () {
            try {
              for (let each = first; each.done !== true; each = await events.next()) yield each.value;
            } finally {
              await events.return?.();
            }
          })();
        }),
    },
  };
}

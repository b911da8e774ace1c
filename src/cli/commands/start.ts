/** `kith start`: the node in the foreground, or in the background with --daemon. @module cli/commands/start */
import { join } from 'node:path';
import {
  createLogger,
  formatDuration,
  type LogStream,
  messageOf,
  type ResolvedConfig,
} from '../../base/index.ts';
import { createNode, type Node } from '../../node/index.ts';
import { exitCode } from '../failure.ts';
import { asTyped, paint, print, printJson, say } from '../output.ts';
import { askPassphrase } from '../passphrase.ts';
import type { Handler } from '../program.ts';
import { createProgress, type ProgressView } from '../progress.ts';
import { settingsOf } from '../settings.ts';
import { version } from '../version.ts';
import { welcome, whoAnswers } from '../welcome.ts';
import { logLine } from './logs.ts';

const run: Handler = async ({ options }) => {
  const settings = settingsOf(options);
  if (options.daemon) {
    const { startDaemon } = await import('../daemon.ts');
    return startDaemon(settings, options);
  }
  return serve(settings, options);
};
export default run;

async function serve(
  { config }: ResolvedConfig,
  options: Readonly<Record<string, unknown>>,
): Promise<number> {
  const progress = createProgress();
  // Without a log file, as in a container, whoever collects stderr is the only one to keep the log.
  const onlyCopy = !config.log.file && !process.stderr.isTTY;
  const showsLog = options.verbose === true || Boolean(process.env.DEBUG) || onlyCopy;
  await using log = createLogger({
    level: config.log.level,
    ...(showsLog ? {} : { stderr: troubleOnly(progress) }),
    file: config.log.file
      ? { dir: join(config.home, 'logs'), maxBytes: config.log.maxBytes, keep: config.log.keep }
      : null,
  });
  let node: Node | null = null;
  let asked = 0;
  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const stop = () => {
    asked++;
    if (asked > 1) process.exit(130);
    if (process.stderr.isTTY) {
      progress.clear();
      say('\nStopping; requests in progress get a moment to end. Ctrl-C again ends at once.');
    }
    end();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  // A closed terminal ends a foreground node in order, not by surprise.
  process.on('SIGHUP', stop);

  const began = performance.now();
  node = await createNode({
    config,
    log,
    version,
    passphrase: askPassphrase(options, config),
    onShutdown: stop,
    onProgress: (model, step) => {
      if (!options.json && asked === 0) progress.update(model, step);
    },
  });
  const { url, defaultModel, port } = node;
  const engineModel = config.gateway.localEngine ? defaultModel : null;
  if (options.json) printJson({ event: 'up', url, port, pid: process.pid, version, home: config.home });
  else {
    progress.clear();
    print(welcome({ url, model: engineModel, host: config.server.host, names: config.server.allowedHosts }));
  }
  node.ready.then(
    () => {
      progress.clear();
      const took = formatDuration(performance.now() - began);
      if (options.json) printJson({ event: 'ready', model: engineModel });
      else print(`${paint('green', 'ready')}: ${whoAnswers(engineModel)} (${took} after the start)`);
    },
    (error: unknown) => {
      progress.clear();
      if (asked > 0) return;
      if (options.json) printJson({ event: 'degraded', model: defaultModel, message: messageOf(error) });
      else
        say(
          `${paint('yellow', 'degraded', process.stderr)}: ${defaultModel} is not ready: ${asTyped(messageOf(error))}`,
        );
    },
  );
  await ended;
  await node.close();
  if (!options.json) print('Stopped.');
  return exitCode.ok;
}

/** Warnings and errors only, as lines for people; the log file has the rest. */
function troubleOnly(progress: ProgressView): LogStream {
  return {
    write(line: string) {
      if (!/"level":"(warn|error|fatal)"/.test(line)) return;
      progress.clear();
      process.stderr.write(`${logLine(line.trimEnd())}\n`);
    },
  };
}

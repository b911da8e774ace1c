/** `kith open`: a one-time link to the page. @module cli/commands/open */
import { spawn } from 'node:child_process';
import { runningNode } from '../client.ts';
import { UsageError } from '../failure.ts';
import { print, printJson, say } from '../output.ts';
import type { Handler } from '../program.ts';

/** The pages that the node serves, by their first segment. */
const PAGES = ['chat', 'conversations', 'knowledge', 'network', 'vault', 'status'];
const BROWSERS: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

const run: Handler = async ({ args, options }) => {
  const page = String(args[0] ?? 'network');
  if (!PAGES.includes(page))
    throw new UsageError(`There is no page '${page.slice(0, 40)}'; there are: ${PAGES.join(', ')}.`);
  const node = await runningNode(options);
  const { code, until } = await node.call<{ code: string; until: number }>('POST', '/kith/v1/entry/codes');
  // Behind the #, the code stays in the browser: no server and no log gets it.
  const url = new URL(`/${page}#enter=${code}`, node.run.url).href;
  if (options.json) {
    printJson({ url, until });
    return;
  }
  print(url);
  say('Good once, for two minutes, in a browser on this machine: whoever opens it may do what you may.');
  if (options.browser === true) await openBrowser(url);
  return;
};

async function openBrowser(url: string): Promise<void> {
  const [command, ...more] = BROWSERS[process.platform] ?? ['xdg-open'];
  const child = spawn(command!, [...more, url], { detached: true, stdio: 'ignore' });
  const failed = await new Promise<boolean>((resolve) => {
    child.once('error', () => resolve(true));
    child.once('spawn', () => resolve(false));
  });
  child.unref();
  if (failed) say(`No browser could be started (${command}): open the link by hand.`);
}

export default run;

/** `kith version`. @module cli/commands/version */
import { print, printJson } from '../output.ts';
import type { Handler } from '../program.ts';
import { version } from '../version.ts';

const run: Handler = async ({ options }) => {
  if (options.json)
    printJson({ version, node: process.versions.node, platform: `${process.platform}-${process.arch}` });
  else print(version);
};
export default run;

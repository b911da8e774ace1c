/**
 * Options and checks of values that commands share.
 *
 * @module cli/options
 */
import { type Command, InvalidArgumentError, Option } from 'commander';

export function whole(min: number, max: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^-?\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    return value;
  };
}

export function decimal(min: number, max: number) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= min && value <= max))
      throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`);
    return value;
  };
}

/** Lines of examples below the help of a command. */
export function examples(command: Command, ...lines: readonly string[]): void {
  command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`);
}

export const homeOption = () =>
  new Option('--home <dir>', 'folder that holds everything the node keeps (default: ~/.kith)');
export const jsonOption = () => new Option('--json', 'print data as JSON');
export const seedOption = () =>
  new Option(
    '--seed <n>',
    'number that the draws follow from; the same answer again only where the prompt is computed alike',
  ).argParser(whole(0, 0xffffffff));
export const nameOption = () => new Option('--name <text>', 'name for people (default: what the file says)');
export const licenceOption = () =>
  new Option('--licence <spdx>', 'licence, as an SPDX id (default: what the file says)');
export const modelOption = () => new Option('-m, --model <id>', 'model to use (default: the configured one)');

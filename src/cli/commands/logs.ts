/** `kith logs`: the end of the log file, what is added to it, and what it all tells. @module cli/commands/logs */
import { type FileHandle, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, isErrno, systemClock } from '../../base/index.ts';
import { onInterrupt } from '../interrupt.ts';
import { LogAnalysis } from '../log-analysis/analyse.ts';
import { logLines } from '../log-analysis/read.ts';
import { showAnalysis } from '../log-analysis/show.ts';
import { parseSince } from '../log-analysis/since.ts';
import { paint, plain, print, printJson, say } from '../output.ts';
import type { Handler } from '../program.ts';
import { settingsOf } from '../settings.ts';

const blockBytes = 64 * 1024;
/** How often the file is looked at with --follow, ms. */
const pollMs = 250;

const run: Handler = async ({ options }) => {
  const { config } = settingsOf(options);
  if (options.analyse) return analyse(join(config.home, 'logs'), options);
  if (options.since !== undefined)
    throw new InputError('since_alone', '--since goes with --analyse; without it, -n says how many lines.', {
      param: 'since',
    });
  const path = join(config.home, 'logs', 'kith.log');
  const show = (line: string) => print(options.json ? line : logLine(line));
  let position = 0;
  let inode: bigint | null = null;
  try {
    await using file = await open(path, 'r');
    const { size, ino } = await file.stat({ bigint: true });
    inode = ino;
    position = Number(size);
    for (const line of await lastLines(file, position, options.lines as number)) show(line);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    say(`There is no log at ${path} yet.`);
  }
  if (!options.follow) return;
  using interrupt = onInterrupt();
  let rest = '';
  while (!interrupt.signal.aborted) {
    const now = await stat(path, { bigint: true }).catch(() => null);
    if (now) {
      // Rotation puts a new, shorter file in its place.
      if (now.ino !== inode || Number(now.size) < position) {
        inode = now.ino;
        position = 0;
        rest = '';
      }
      if (Number(now.size) > position) {
        await using file = await open(path, 'r');
        const text = await readText(file, position, Number(now.size) - position);
        position = Number(now.size);
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) show(line);
      }
    }
    await systemClock.sleep(pollMs, interrupt.signal).catch(() => {});
  }
};
export default run;

async function analyse(dir: string, options: Readonly<Record<string, unknown>>): Promise<undefined> {
  const since = typeof options.since === 'string' ? parseSince(options.since, systemClock.now()) : null;
  const analysis = new LogAnalysis(since);
  const onUnreadable = (file: string, why: string) =>
    say(`${file} could not be read to its end: ${plain(why)}`);
  for await (const line of logLines(dir, { since, onUnreadable })) analysis.add(line);
  const result = analysis.result();
  if (options.json) printJson(result);
  else for (const line of showAnalysis(result)) print(line);
}

async function readText(file: FileHandle, from: number, length: number): Promise<string> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await file.read(bytes, 0, length, from);
  return bytes.toString('utf8', 0, bytesRead);
}

/** The last `count` lines, read from the end in blocks. */
async function lastLines(file: FileHandle, size: number, count: number): Promise<string[]> {
  if (count === 0) return [];
  const blocks: Buffer[] = [];
  let newlines = 0;
  let at = size;
  while (at > 0 && newlines <= count) {
    const length = Math.min(blockBytes, at);
    at -= length;
    const block = Buffer.alloc(length);
    await file.read(block, 0, length, at);
    for (const byte of block) if (byte === 10) newlines++;
    blocks.unshift(block);
  }
  const lines = Buffer.concat(blocks).toString('utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.slice(-count);
}

const colours = { warn: 'yellow', error: 'red', fatal: 'red' } as const;

/** A JSON line for people: time, level, room, message, fields. */
export function logLine(line: string): string {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return plain(line);
  }
  const { time, level, room, msg, ...fields } = entry;
  const colour = colours[level as keyof typeof colours];
  const name = String(level ?? '').padEnd(5);
  const shown = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return [
    paint('dim', String(time ?? '').slice(11, 23)),
    colour ? paint(colour, name) : name,
    room ? paint('cyan', plain(String(room))) : '',
    plain(String(msg ?? '')),
    paint('dim', plain(shown.join(' '))),
  ]
    .filter((part) => part !== '')
    .join(' ');
}

/**
 * One log line for a terminal: `12:34:56.789 INFO  engine  model loaded  model=tinyllama ms=250`.
 *
 * Values come from outside, so control characters (which could move the cursor or set the title) are escaped.
 *
 * @module base/log-pretty
 */

const COLOURS: Readonly<Record<string, number>> = {
  trace: 90,
  debug: 36,
  info: 32,
  warn: 33,
  error: 31,
  fatal: 35,
};
/** Nested values longer than this are cut on the terminal; the file has them whole. */
const MAX_VALUE = 2000;

/** `line` is a JSON line of this logger. Anything else is passed on, made safe. */
export function prettyLine(line: string, colour: boolean): string {
  const entry = parse(line);
  if (entry === null) return `${escapeControls(line.trimEnd())}\n`;
  const { level, time, room, msg, ...fields } = entry;
  const paint = (code: number, text: string) =>
    colour && text !== '' ? `\u001b[${code}m${text}\u001b[0m` : text;
  const label = String(level).toUpperCase().padEnd(5);
  const parts = [paint(90, String(time).slice(11, 23)), paint(COLOURS[String(level)] ?? 0, label)];
  if (typeof room === 'string') parts.push(paint(90, escapeControls(room)));
  parts.push(escapeControls(String(msg)));
  const stacks: string[] = [];
  for (const [key, value] of Object.entries(fields))
    parts.push(`${paint(90, `${escapeControls(key)}=`)}${show(value, stacks)}`);
  return `${parts.join('  ')}\n${stacks.map((frame) => `    ${paint(90, escapeControls(frame))}\n`).join('')}`;
}

function show(value: unknown, stacks: string[]): string {
  if (typeof value === 'string' && /^[\w./:@+-]+$/.test(value)) return value;
  if (typeof value === 'object' && value !== null && 'stack' in value && typeof value.stack === 'string') {
    const { stack, ...rest } = value;
    stacks.push(...stack.split('\n'));
    return show(rest, stacks);
  }
  const text = escapeControls(JSON.stringify(value) ?? 'undefined');
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}...` : text;
}

/** C0, DEL, C1, line separators and the marks that reorder text. */
function escapeControls(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function parse(line: string): Record<string, unknown> | null {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    // Not one of ours: shown as it is.
    return null;
  }
}

/**
 * What the command line writes: data to stdout, everything said beside it to stderr.
 *
 * @module cli/output
 */

/** One line of data to stdout. */
export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** One line beside the data to stderr. */
export function say(line = ''): void {
  process.stderr.write(`${line}\n`);
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, process.stdout.isTTY ? 2 : undefined)}\n`);
}

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
const codes: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

/** Colours text when the stream is a terminal and NO_COLOR is not set (https://no-color.org). */
export function paint(style: Style, text: string, stream: { isTTY?: boolean } = process.stdout): string {
  if (!stream.isTTY || process.env.NO_COLOR || process.env.TERM === 'dumb') return text;
  const [on, off] = codes[style];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}

/** Columns padded to their widest cell; the last is not. Numbers in `right` columns are right-aligned. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return rows
    .map((row) =>
      row
        .map((cell, i) =>
          right.includes(i)
            ? cell.padStart(widths[i]!)
            : i === row.length - 1
              ? cell
              : cell.padEnd(widths[i]!),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/**
 * Text from outside for a terminal: control characters (which could move the cursor or worse) are shown, not sent, and so are
 * those that turn the direction of text round, with which a line can look like another one.
 */
export function plain(text: string): string {
  return text
    .replace(
      /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g,
      (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
    )
    .replace(/[\u202a-\u202e\u2066-\u2069]/g, (c) => `\\u${c.charCodeAt(0).toString(16)}`);
}

/** Flags of this run that a command named in a hint needs to mean the same node. */
let everywhere = '';
let atStart = '';

/** Called once, with what the command line gave. */
export function rememberFlags(given: {
  readonly home?: string | undefined;
  readonly port?: string | undefined;
}): void {
  everywhere = given.home === undefined ? '' : ` --home ${quoted(given.home)}`;
  atStart = given.port === undefined ? '' : ` --port ${quoted(given.port)}`;
}

function quoted(word: string): string {
  return /^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

const hinted =
  /(?<![\w./~-])kith (identity (?:show|create|export|import|encrypt|decrypt|rotate|history)|(?:models|config|keys) (?:list|show|pull|add|verify|rm|import|get|set|unset|path|create|revoke|rotate)|backends (?:list|reset|explain)|cache (?:stats|clear)|router (?:status|versions|rollback|refit|threshold)|p2p (?:info|probe|peers|find|connect|send|inbox|outbox)|network (?:show|create|join|leave)|relay (?:show|serve|use)|reputation (?:list|show|reset|endorse|unendorse)|policy issuer (?:add|remove|list)|shard (?:serve|stop|status|run|plan|chain|gap|calibrate|circuits|download|receipts)|vpk (?:discover|upload|sync|rebalance|repair|check|resolve|restore|tenant (?:create|list|info|delete))|storage (?:init|status|backup|restore|destroy)|rag (?:init|list|connect-eve|ingest|sync|jobs|query|chat|docs|delete-doc|rebuild|destroy|eval|graph)|start|stop|status|logs|chat|run|embed|usage|calibrate|benchmark|doctor)(?![\w-])/g;

/** Commands in a text (`kith stop`) as this user has to type them to reach the same node. */
export function asTyped(text: string): string {
  const kith = commandName();
  return text.replace(
    hinted,
    (_, command: string) => `${kith} ${command}${everywhere}${command === 'start' ? atStart : ''}`,
  );
}

/** How this user types the command: through npm in a clone, or as an installed command. */
export function commandName(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return env.npm_lifecycle_event === 'start' || env.npm_lifecycle_event === 'kith'
    ? 'npm run -s kith --'
    : 'kith';
}

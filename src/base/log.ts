/**
 * The log: JSON lines (pino) to stderr, coloured text when stderr is a terminal, and to a rotating file when asked.
 * Everything passes `redact` first. Logging never throws and never fails what it reports on.
 *
 * `DEBUG=kith:*` shows debug lines of every room, `DEBUG=kith:engine:*,-kith:engine:text` of some; `kwaai:` works
 * as `kith:`. Debug and trace lines may hold what people write; credentials are replaced at every level.
 *
 * @module base/log
 */
import { createRequire } from 'node:module';
import type { Logger as Pino, pino } from 'pino';
import { type Clock, systemClock } from './clock.ts';
import { createLogFile, type LogFile } from './log-file.ts';
import { prettyLine } from './log-pretty.ts';
import { redact, redactText } from './redact.ts';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';
export type LogFields = Readonly<Record<string, unknown>>;
type Write = (message: string, fields?: LogFields) => void;

export interface Logger {
  /** Rooms from the outside in: `engine`, `engine:scheduler`; empty at the root. */
  readonly room: string;
  readonly trace: Write;
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
  readonly fatal: Write;
  /**
   * A line on a hot path, whose fields are JSON already: `"name":value,...`, without braces. The caller answers for what
   * stands in them: text from outside passes `redactText` first, and no name is `level`, `time`, `room` or `msg`.
   */
  line(level: LogLevel, message: string, fields: string): void;
  /** Lines written so far, of this logger's whole family. */
  readonly written: Readonly<Record<LogLevel, number>>;
  /** False when a line of that level would be dropped: guards work done only for the log. */
  enabled(level: LogLevel): boolean;
  /** A logger for a room (or a part of this one). `fields` are added to each of its lines. */
  child(room: string, fields?: LogFields): Logger;
}

export interface RootLogger extends Logger, AsyncDisposable {
  /** Path of the log file, or null. */
  readonly file: string | null;
  /** Closes the file; lines after it go to stderr only. */
  close(): Promise<void>;
}

export interface LogStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  on?(event: 'error', listener: (error: Error) => void): unknown;
}

export interface LoggerOptions {
  /** @default 'info' */
  readonly level?: LogLevel | 'silent';
  /** Read for DEBUG and NO_COLOR. @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Where lines go; null: to the file only. @default process.stderr */
  readonly stderr?: LogStream | null;
  /** Also write to `<dir>/kith.log`, rotated at `maxBytes`, `keep` old ones kept. */
  readonly file?: { readonly dir: string; readonly maxBytes: number; readonly keep: number } | null;
  readonly clock?: Clock;
}

const LEVELS: Readonly<Record<LogLevel | 'silent', number>> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
  silent: 100,
};

const loadPino = (): typeof pino => (createRequire(import.meta.url)('pino') as { pino: typeof pino }).pino;

/** Field names that pino or this file sets. */
const RESERVED = new Set(['level', 'time', 'room', 'msg']);
const nameOf = (key: string): string => (RESERVED.has(key) ? `field_${key}` : key);

export function createLogger(options: LoggerOptions = {}): RootLogger {
  const env = options.env ?? process.env;
  const clock = options.clock ?? systemClock;
  const stderr = options.stderr === undefined ? process.stderr : options.stderr;
  const colour = !env.NO_COLOR;
  const debugs = debugMatcher(env.DEBUG ?? '');
  const threshold = LEVELS[options.level ?? 'info'];

  const written = { trace: 0, debug: 0, info: 0, warn: 0, error: 0, fatal: 0 };
  if (stderr !== null) guardStream(stderr);
  const toStderr = (line: string) => {
    if (stderr === null) return;
    try {
      stderr.write(stderr.isTTY === true ? prettyLine(line, colour) : line);
    } catch {
      // stderr is gone (its reader ended): there is nowhere left to say so.
    }
  };
  let file: LogFile | null = null;
  let timeAt = Number.NaN;
  let time = '';
  /** Lines of the same ms share their time. */
  const timeNow = (): string => {
    const now = clock.now();
    if (now !== timeAt) {
      timeAt = now;
      time = new Date(now).toISOString();
    }
    return time;
  };
  const write = (line: string): void => {
    toStderr(line);
    file?.write(line);
  };
  const open = () =>
    loadPino()(
      {
        level: 'trace',
        base: null,
        timestamp: () => `,"time":"${timeNow()}"`,
        formatters: { level: (label) => ({ level: label }) },
        // pino would treat our plain copy of an error as an error and add to it.
        serializers: { err: (copied: unknown) => copied },
      },
      { write },
    );
  // A logger that drops everything needs no pino, and the engine's processes have no other.
  let opened: Pino | null = threshold === LEVELS.silent ? null : open();
  const json = (): Pino => {
    opened ??= open();
    return opened;
  };

  if (options.file) {
    file = createLogFile({
      ...options.file,
      clock,
      onTrouble: (message) => {
        const time = new Date(clock.now()).toISOString();
        toStderr(`${JSON.stringify({ level: 'warn', time, room: 'log', msg: redactText(message) })}\n`);
      },
    });
  }

  const make = (room: string, bound: LogFields): Logger => {
    const lowest = Math.min(threshold, debugs(room) ? LEVELS.debug : Number.POSITIVE_INFINITY);
    const writer =
      (level: LogLevel): Write =>
      (message, fields) => {
        if (LEVELS[level] < lowest) return;
        written[level]++;
        const keepContent = LEVELS[level] < LEVELS.info;
        try {
          const safe = redact({ ...bound, ...fields }, { keepContent }) as Record<string, unknown>;
          const out: Record<string, unknown> = room === '' ? {} : { room };
          for (const [key, value] of Object.entries(safe)) out[nameOf(key)] = value;
          json()[level](out, redactText(String(message), { keepContent }));
        } catch {
          // Only a value built to break logging comes here; the line is kept without its fields.
          json()[level](room === '' ? {} : { room }, '[a log line that could not be written]');
        }
      };
    const place = room === '' ? '' : `,"room":${JSON.stringify(room)}`;
    const always = Object.entries(redact(bound) as Record<string, unknown>)
      .map(([key, value]) => `,${JSON.stringify(nameOf(key))}:${JSON.stringify(value ?? null)}`)
      .join('');
    return {
      room,
      written,
      line(level, message, fields) {
        if (LEVELS[level] < lowest) return;
        written[level]++;
        const more = fields === '' ? '' : `,${fields}`;
        write(
          `{"level":"${level}","time":"${timeNow()}"${place}${always}${more},"msg":${JSON.stringify(message)}}\n`,
        );
      },
      trace: writer('trace'),
      debug: writer('debug'),
      info: writer('info'),
      warn: writer('warn'),
      error: writer('error'),
      fatal: writer('fatal'),
      enabled: (level) => LEVELS[level] >= lowest,
      child: (name, fields) => make(room === '' ? name : `${room}:${name}`, { ...bound, ...fields }),
    };
  };

  const close = async () => {
    const closing = file;
    file = null;
    await closing?.close();
  };
  return { ...make('', {}), file: file?.path ?? null, close, [Symbol.asyncDispose]: close };
}

/** A logger that drops everything: for tests and for library use. */
export const silentLogger: Logger = createLogger({ level: 'silent', env: {}, stderr: null });

const guardedStreams = new WeakSet<LogStream>();

/** A broken pipe on stderr arrives as an error event, which would end the process if nobody listened. */
function guardStream(stream: LogStream): void {
  if (guardedStreams.has(stream)) return;
  guardedStreams.add(stream);
  stream.on?.('error', () => undefined);
}

/** The `debug` package's language: names separated by commas or spaces, `*` matches anything, `-` excludes. */
export function debugMatcher(pattern: string): (room: string) => boolean {
  const wanted: RegExp[] = [];
  const unwanted: RegExp[] = [];
  for (const part of pattern.slice(0, 1024).split(/[\s,]+/)) {
    if (part === '') continue;
    const name = part.replace(/^-/, '').replace(/^kwaai(?=:|$)/, 'kith');
    const source = name.split(/\*+/).map((piece) => piece.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
    (part.startsWith('-') ? unwanted : wanted).push(new RegExp(`^${source.join('.*')}$`));
  }
  if (wanted.length === 0) return () => false;
  return (room) => {
    const name = room === '' ? 'kith:' : `kith:${room}`;
    return wanted.some((regex) => regex.test(name)) && !unwanted.some((regex) => regex.test(name));
  };
}

/**
 * Judging keys and values of the configuration, and saying what is wrong with all of them at once.
 *
 * @module base/config-check
 */
import { CONFIG_KEYS, type ConfigKey, isConfigKey, settingOf } from './config-schema.ts';
import { InputError } from './errors.ts';
import { LIST_NAMES } from './settings/lists.ts';
import type { OtherName } from './settings/setting.ts';

export interface ConfigProblem {
  /** Key at fault, or null when it is the file itself. */
  readonly key: string | null;
  /** `path:line`, `env:NAME`, `flag:--x`, or null when the caller passed it. */
  readonly origin: string | null;
  readonly message: string;
}

/** Longer values are cut in messages. */
const SHOWN_CHARS = 60;
/** More problems than these are counted, not listed. */
const SHOWN_PROBLEMS = 20;

/** The key, or null with a problem that suggests the nearest one. */
export function checkKey(key: string, origin: string | null, problems: ConfigProblem[]): ConfigKey | null {
  if (isConfigKey(key)) return key;
  if ((LIST_NAMES as readonly string[]).includes(key.split('.')[0]!)) {
    const message = `${showValue(key)} is no single value: write it in config.yaml (docs/gateway.md shows how).`;
    problems.push({ key, origin, message });
    return null;
  }
  const near = nearest<string>(key, [...CONFIG_KEYS, ...LIST_NAMES]);
  const hint = near === null ? 'Run "kith config list" to see every key.' : `Did you mean ${near}?`;
  problems.push({ key, origin, message: `Unknown key ${showValue(key)}. ${hint}` });
  return null;
}

/**
 * The typed value, or undefined with a problem that names the value and what is allowed.
 *
 * @param other the variable of another program that the value comes from
 */
export function parseValue(
  key: ConfigKey,
  raw: unknown,
  origin: string | null,
  problems: ConfigProblem[],
  other?: OtherName,
): unknown {
  const setting = settingOf(key);
  const { fromText = setting.fromText, allowed = setting.allowed } = other ?? {};
  const value = typeof raw === 'string' ? fromText(raw) : raw;
  const result = setting.schema.safeParse(value);
  if (result.success) return result.data;
  const shown = setting.secret === true ? 'The value' : showValue(raw);
  const named = other?.name ?? key;
  problems.push({ key, origin, message: `${shown} is not allowed for ${named}; allowed: ${allowed}.` });
  return undefined;
}

/** One InputError `config_invalid` for all problems. */
export function configError(problems: readonly ConfigProblem[]): InputError {
  const lines = problems
    .slice(0, SHOWN_PROBLEMS)
    .map(({ origin, message }) => (origin === null ? message : `${message} (${origin})`));
  if (problems.length > SHOWN_PROBLEMS) lines.push(`... and ${problems.length - SHOWN_PROBLEMS} more.`);
  const message =
    lines.length === 1 ? lines[0]! : `The configuration has problems:\n  - ${lines.join('\n  - ')}`;
  const key = problems[0]?.key;
  return new InputError('config_invalid', message, {
    ...(key == null ? {} : { param: key }),
    details: { problems: problems.length },
  });
}

/** The candidate that is a typing mistake away from `text` (case counts nothing), or null. */
export function nearest<T extends string>(text: string, candidates: readonly T[]): T | null {
  // A key of megabytes is no typing mistake, and the distance costs its length times the candidate's.
  if (text.length > 64) return null;
  let best: T | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  const wanted = text.toLowerCase();
  for (const candidate of candidates) {
    const known = candidate.toLowerCase();
    // `port` for `server.port`: the last step alone is a match too, after any closer one.
    const distance = known.endsWith(`.${wanted}`) ? 1 : editDistance(wanted, known);
    if (distance < bestDistance && distance <= Math.max(2, candidate.length / 4)) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Optimal string alignment distance: insert, delete, replace, swap neighbours. */
function editDistance(a: string, b: string): number {
  let older: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(previous[j]! + 1, row[j - 1]! + 1, replace);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, older[j - 2]! + 1);
      row.push(cost);
    }
    older = previous;
    previous = row;
  }
  return previous[b.length]!;
}

/** A value from outside as it may stand in a message: quoted, cut, without passwords of addresses. */
export function showValue(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  const safe = hideUserInfo(text);
  return safe.length > SHOWN_CHARS ? `${safe.slice(0, SHOWN_CHARS)}...` : safe;
}

/** `https://user:password@host` -> `https://[secret]@host`. */
export function hideUserInfo(text: string): string {
  return text.replace(/(:\/\/)[^/?#\s@]*(?:@[^/?#\s@]*)*@/g, '$1[secret]@');
}

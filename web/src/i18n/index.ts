/**
 * The page's language: English is part of the first load, every other language a chunk of its own. Numbers, times and
 * sizes go through `Intl` in the same language.
 *
 * @module web/i18n
 */
import { flatten, resolveTemplate, translator } from '@solid-primitives/i18n';
import { createEffect, createMemo, createRoot, createSignal } from 'solid-js';
import { type Language, languages, preferences } from '../data/preferences.ts';
import { en, type Words } from './en.ts';

const loaders: Readonly<Record<Exclude<Language, 'en'>, () => Promise<{ readonly words: Words }>>> = {
  de: () => import('./de.ts').then(({ de }) => ({ words: de })),
};

/** The first of the browser's languages that the page has. */
export function browserLanguage(): Language {
  for (const tag of navigator.languages) {
    const base = tag.split('-')[0]!;
    if (base in languages) return base as Language;
  }
  return 'en';
}

const [words, setWords] = createSignal<{ language: Language; words: Words }>({ language: 'en', words: en });
export const language = (): Language => words().language;

export const t = createRoot(() => {
  createEffect(() => {
    const wanted = preferences.language ?? browserLanguage();
    if (wanted === 'en') setWords({ language: 'en', words: en });
    else {
      // Without its chunk the page stays as it is: English is whole.
      void loaders[wanted]().then(
        (loaded) => setWords({ language: wanted, ...loaded }),
        () => {},
      );
    }
  });
  createEffect(() => {
    document.documentElement.lang = language();
  });
  const flat = createMemo(() => flatten(words().words));
  return translator(flat, resolveTemplate);
});

/** The sentence under a key that may be missing, such as the remedy of an error code. */
export function ifKnown(key: string): string | null {
  const value = (t as (path: string) => unknown)(key);
  return typeof value === 'string' ? value : null;
}

const number = (options: Intl.NumberFormatOptions) => new Intl.NumberFormat(language(), options).format;

export function count(value: number): string {
  return number({ maximumFractionDigits: 0 })(value);
}

/** 1234 as 1.2K: where a figure is read at a glance. */
export function brief(value: number): string {
  return number({ notation: 'compact', maximumFractionDigits: 1 })(value);
}

/** Tokens per second: whole above 10. */
export function rate(value: number): string {
  return number({ maximumFractionDigits: value < 10 ? 1 : 0 })(value);
}

const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

/** Bytes in decimal units, as disks and memory are sold. */
export function size(bytes: number): string {
  const step = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** step;
  return number({
    style: 'unit',
    unit: units[step]!,
    unitDisplay: 'short',
    maximumFractionDigits: value < 10 ? 1 : 0,
  })(value);
}

const spaced = (value: number, digits: number, unit: string) =>
  `${number({ maximumFractionDigits: digits })(value)}\u00a0${unit}`;

/** Milliseconds, seconds from one second, minutes from one minute. */
export function duration(ms: number): string {
  if (ms < 1000) return spaced(ms, ms < 10 ? 1 : 0, 'ms');
  const seconds = ms / 1000;
  return seconds < 60 ? spaced(seconds, seconds < 10 ? 1 : 0, 's') : long(seconds);
}

/** Seconds as the two largest of days, hours, minutes and seconds. */
export function long(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [Math.floor(seconds) % 60, 's'],
  ] as const;
  const first = parts.findIndex(([value]) => value > 0);
  if (first < 0) return spaced(0, 0, 's');
  return parts
    .slice(first, first + 2)
    .filter(([value], index) => index === 0 || value > 0)
    .map(([value, unit]) => spaced(value, 0, unit))
    .join(' ');
}

/** Milliseconds as the largest of days, hours, minutes and seconds: how old something is. */
export function age(ms: number): string {
  const seconds = ms / 1000;
  if (seconds >= 86_400) return spaced(Math.floor(seconds / 86_400), 0, 'd');
  if (seconds >= 3_600) return spaced(Math.floor(seconds / 3_600), 0, 'h');
  return seconds >= 60 ? spaced(Math.floor(seconds / 60), 0, 'min') : spaced(Math.floor(seconds), 0, 's');
}

/** A share or a score, to two digits. */
export function fraction(value: number): string {
  return number({ maximumFractionDigits: 2 })(value);
}

/** Money in the unit of the owner's prices: small sums keep three digits that count. */
export function money(value: number): string {
  return number(value === 0 || value >= 1 ? { maximumFractionDigits: 2 } : { maximumSignificantDigits: 3 })(
    value,
  );
}

/** The browser's own kind of the page's language: en-GB writes a date and a time in another way than en-US. */
const timeLocale = (): string =>
  navigator.languages.find((tag) => tag.split('-')[0] === language()) ?? language();

/** As the browser counts hours, also where the reader chose another language for the page. */
const { hourCycle = 'h23' } = new Intl.DateTimeFormat(navigator.language, {
  hour: 'numeric',
}).resolvedOptions();

/** The time for today, the date otherwise. */
export function moment(at: number, now = Date.now()): string {
  const day = (ms: number) => new Date(ms).toDateString();
  const options: Intl.DateTimeFormatOptions =
    day(at) === day(now) ? { timeStyle: 'short' } : { dateStyle: 'medium', timeStyle: 'short' };
  return new Intl.DateTimeFormat(timeLocale(), { ...options, hourCycle }).format(at);
}

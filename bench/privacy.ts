/**
 * `npm run bench:privacy`: how much of planted personal data is found, and how much else.
 *
 * Seeded generators plant values into letters, chats, forms, tables, logs and code in four languages
 * (bench/privacy/). A value counts as found when every letter and digit of it is inside spans, whatever their class: that
 * is what would not leave. Precision counts the spans of a class that touch a planted value of any class. The templates
 * and the detectors have the same author, so texts written by hand stand beside them. In texts that hold nothing personal
 * every span is a false alarm.
 *
 * Options: --seed N (1), --items N (40 per class and language), --misses (print what was not found).
 *
 * @module bench/privacy
 */
import { parseArgs } from 'node:util';
import {
  CAUTIOUS_THRESHOLD,
  DEFAULT_THRESHOLD,
  detect,
  type PiiClass,
  type Span,
} from '../src/gateway/privacy/index.ts';
import { median, table } from './lib/stats.ts';
import { LANGUAGES, neutralTexts, type Planted, type PlantedText, plantedTexts } from './privacy/texts.ts';
import { PUBLIC_TEXTS, writtenTexts } from './privacy/written.ts';

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    items: { type: 'string', default: '40' },
    misses: { type: 'boolean', default: false },
  },
});
const SEED = Number(options.seed);
const ITEMS = Number(options.items);
const STRUCTURED: ReadonlySet<string> = new Set([
  'email',
  'phone',
  'id',
  'card',
  'iban',
  'secret',
  'ip',
  'mac',
]);
const CLASSES: readonly PiiClass[] = [
  ...(['email', 'phone', 'id', 'card', 'iban', 'secret', 'ip', 'mac'] as const),
  ...(['birth', 'plate', 'name', 'address'] as const),
];

interface Score {
  items: number;
  found: number;
  /** At least one unit is inside a span. */
  touched: number;
}

interface Judged {
  /** By class and language. */
  readonly scores: ReadonlyMap<string, Score>;
  readonly precision: ReadonlyMap<PiiClass, { readonly right: number; readonly all: number }>;
}

function judge(texts: readonly PlantedText[], threshold: number): Judged {
  const scores = new Map<string, Score>();
  const precision = new Map<PiiClass, { right: number; all: number }>();
  for (const { text, language, items } of texts) {
    const { spans } = detect(text, { threshold });
    for (const item of items) {
      const covered = coverage(text, item, spans);
      const key = `${item.class} ${language}`;
      const score = scores.get(key) ?? { items: 0, found: 0, touched: 0 };
      score.items++;
      if (covered === 1) score.found++;
      if (covered > 0) score.touched++;
      scores.set(key, score);
      if (covered < 1) show(`missed ${key} ${covered.toFixed(2)}`, text, item);
    }
    for (const span of spans) {
      const count = precision.get(span.class) ?? { right: 0, all: 0 };
      count.all++;
      const isRight = items.some(({ start, end }) => start < span.end && end > span.start);
      if (isRight) count.right++;
      else show(`extra ${span.class}`, text, span);
      precision.set(span.class, count);
    }
  }
  return { scores, precision };
}

function show(label: string, text: string, { start, end }: { start: number; end: number }): void {
  if (!options.misses) return;
  const around = JSON.stringify(text.slice(Math.max(0, start - 50), end + 15));
  console.error(`${label} [${text.slice(start, end)}] in ${around}`);
}

/** Share of an item's letters and digits that are inside spans. */
function coverage(text: string, item: Planted, spans: readonly Span[]): number {
  let all = 0;
  let covered = 0;
  for (let at = item.start; at < item.end; at++) {
    if (!/[\p{L}\d]/u.test(text[at]!)) continue;
    all++;
    if (spans.some(({ start, end }) => at >= start && at < end)) covered++;
  }
  return covered / all;
}

const share = (part: number, whole: number) => (whole === 0 ? '-' : (part / whole).toFixed(3));

function printScores(title: string, texts: readonly PlantedText[], threshold = DEFAULT_THRESHOLD): void {
  const { scores, precision } = judge(texts, threshold);
  const total = (classes: readonly string[], languages: readonly string[] = LANGUAGES): Score => {
    const sum = { items: 0, found: 0, touched: 0 };
    for (const each of classes) {
      for (const language of languages) {
        const score = scores.get(`${each} ${language}`);
        sum.items += score?.items ?? 0;
        sum.found += score?.found ?? 0;
        sum.touched += score?.touched ?? 0;
      }
    }
    return sum;
  };
  const row = (label: string, classes: readonly PiiClass[]) => {
    const { items, found, touched } = total(classes);
    const byLanguage = LANGUAGES.map((language) => {
      const score = total(classes, [language]);
      return share(score.found, score.items);
    });
    const right = classes.reduce((sum, each) => sum + (precision.get(each)?.right ?? 0), 0);
    const all = classes.reduce((sum, each) => sum + (precision.get(each)?.all ?? 0), 0);
    return [
      label,
      String(items),
      ...byLanguage,
      share(found, items),
      share(touched, items),
      share(right, all),
    ];
  };
  const rows = CLASSES.map((each) => row(each, [each]));
  rows.push(
    row(
      'structured',
      CLASSES.filter((each) => STRUCTURED.has(each)),
    ),
    row('all', CLASSES),
  );
  console.log(`\n${title}: ${total(CLASSES).items} planted items in ${texts.length} texts\n`);
  const languages = LANGUAGES.map((language) => `recall ${language}`);
  console.log(table(['class', 'items', ...languages, 'recall', 'touched', 'precision'], rows));
}

const texts = plantedTexts(SEED, ITEMS);
printScores(`Generated, seed ${SEED}`, texts);
printScores('Written by hand, seen: some rules were added for them', writtenTexts('seen'));
printScores('Written by hand, unseen: no rule was changed for them', writtenTexts('unseen'));
printScores('Written by hand, names without cues, unseen', writtenTexts('latest'));
printScores(`Unseen, cautious (threshold ${CAUTIOUS_THRESHOLD})`, writtenTexts('unseen'), CAUTIOUS_THRESHOLD);

const neutral = neutralTexts(SEED, 200);
console.log('\nFalse alarms in texts without anything personal\n');
const alarmRows = (
  [
    ['paragraphs with numbers, code, versions, dates', neutral],
    ['questions about places, firms, products', PUBLIC_TEXTS],
  ] as const
).flatMap(([label, list]) =>
  [DEFAULT_THRESHOLD, CAUTIOUS_THRESHOLD].map((threshold) => {
    const found = list.map((text) => ({ text, spans: detect(text, { threshold }).spans }));
    const spans = found.flatMap((each) => each.spans);
    for (const each of found)
      for (const span of each.spans) show(`alarm ${span.class} ${span.kind}`, each.text, span);
    const classes = [...new Set(spans.map((span) => span.class))].join(', ');
    const texts = found.filter((each) => each.spans.length > 0).length;
    return [label, String(threshold), String(list.length), String(texts), String(spans.length), classes];
  }),
);
console.log(table(['texts', 'threshold', 'of', 'with alarms', 'spans', 'classes'], alarmRows));

const speed = [
  ['planted texts, short', texts.map(({ text }) => text)],
  [
    'planted texts, one of 1 MB',
    [
      texts
        .map(({ text }) => text)
        .join('\n\n')
        .repeat(8)
        .slice(0, 1_000_000),
    ],
  ],
  ['neutral paragraphs, one of 1 MB', [neutral.join('\n\n').repeat(60).slice(0, 1_000_000)]],
] as const satisfies readonly (readonly [string, readonly string[]])[];
const speedRows = speed.map(([label, list]) => {
  const units = (list as readonly string[]).reduce((length, text) => length + text.length, 0);
  const rates: number[] = [];
  let steps = 0;
  for (let round = 0; round < 5; round++) {
    steps = 0;
    const start = process.cpuUsage();
    for (const text of list) steps += detect(text).steps;
    const used = process.cpuUsage(start);
    rates.push(units / (used.user + used.system));
  }
  return [
    label,
    String(units),
    median(rates).toFixed(1),
    `${Math.min(...rates).toFixed(1)}-${Math.max(...rates).toFixed(1)}`,
    (steps / units).toFixed(1),
  ];
});
console.log(`\nSpeed, one thread, CPU time, median of 5 rounds\n`);
console.log(table(['text', 'characters', 'MB/s', 'spread', 'steps per character'], speedRows));

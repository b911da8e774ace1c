/**
 * `npm run bench:privacy`: how much of planted personal data is found, and how much else.
 *
 * Seeded generators plant values into letters, chats, forms, tables, logs and code in four languages
 * (bench/privacy/). A value counts as found when every letter and digit of it is inside spans, whatever their class: that
 * is what would not leave. Precision counts the spans of a class that touch a planted value of any class. Neutral
 * paragraphs with numbers, code, versions and dates hold nothing personal: every span in them is a false alarm.
 *
 * Options: --seed N (1), --items N (40 per class and language), --misses (print what was not found).
 *
 * @module bench/privacy
 */
import { parseArgs } from 'node:util';
import { detect, type PiiClass, type Span } from '../src/gateway/privacy/index.ts';
import { median, table } from './lib/stats.ts';
import { LANGUAGES, neutralTexts, type Planted, type PlantedText, plantedTexts } from './privacy/texts.ts';

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

const texts = plantedTexts(SEED, ITEMS);
const scores = new Map<string, Score>();
const precision = new Map<PiiClass, { right: number; all: number }>();
for (const text of texts) judge(text);

function judge(text: PlantedText): void {
  const { spans } = detect(text.text);
  for (const item of text.items) {
    const covered = coverage(text.text, item, spans);
    const key = `${item.class} ${text.language}`;
    const score = scores.get(key) ?? { items: 0, found: 0, touched: 0 };
    score.items++;
    if (covered === 1) score.found++;
    else if (options.misses) {
      const from = Math.max(0, item.start - 50);
      console.error(
        `${key} ${covered.toFixed(2)} ${JSON.stringify(text.text.slice(from, item.end + 15))} [${text.text.slice(item.start, item.end)}]`,
      );
    }
    if (covered > 0) score.touched++;
    scores.set(key, score);
  }
  for (const span of spans) {
    const count = precision.get(span.class) ?? { right: 0, all: 0 };
    count.all++;
    const isRight = text.items.some(({ start, end }) => start < span.end && end > span.start);
    if (isRight) count.right++;
    else if (options.misses)
      console.error(
        `extra ${span.class} ${JSON.stringify(text.text.slice(Math.max(0, span.start - 30), span.end + 20))} [${text.text.slice(span.start, span.end)}]`,
      );
    precision.set(span.class, count);
  }
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
const total = (keys: readonly string[]): Score => {
  const sum = { items: 0, found: 0, touched: 0 };
  for (const key of keys) {
    const score = scores.get(key);
    if (score === undefined) continue;
    sum.items += score.items;
    sum.found += score.found;
    sum.touched += score.touched;
  }
  return sum;
};
const keysOf = (classes: readonly string[]) =>
  classes.flatMap((each) => LANGUAGES.map((language) => `${each} ${language}`));

const rows = CLASSES.map((each) => {
  const all = total(keysOf([each]));
  const { right, all: spans } = precision.get(each) ?? { right: 0, all: 0 };
  const byLanguage = LANGUAGES.map((language) => {
    const score = scores.get(`${each} ${language}`);
    return score === undefined ? '-' : share(score.found, score.items);
  });
  return [
    each,
    String(all.items),
    ...byLanguage,
    share(all.found, all.items),
    share(all.touched, all.items),
    share(right, spans),
  ];
});
const structured = total(keysOf([...STRUCTURED]));
const everything = total(keysOf(CLASSES));
for (const [label, { items, found, touched }] of [
  ['structured classes', structured],
  ['all', everything],
] as const) {
  rows.push([
    label,
    String(items),
    ...LANGUAGES.map(() => ''),
    share(found, items),
    share(touched, items),
    '',
  ]);
}
console.log(`\n${everything.items} planted items in ${texts.length} texts, seed ${SEED}\n`);
console.log(
  table(['class', 'items', ...LANGUAGES.map((l) => `recall ${l}`), 'recall', 'touched', 'precision'], rows),
);

const neutral = neutralTexts(SEED, 200);
const alarms = new Map<string, number>();
let alarmed = 0;
for (const text of neutral) {
  const { spans } = detect(text);
  if (spans.length > 0) alarmed++;
  for (const span of spans) {
    alarms.set(span.class, (alarms.get(span.class) ?? 0) + 1);
    if (options.misses)
      console.error(
        `alarm ${span.class} ${span.kind} [${text.slice(span.start, span.end)}] ${JSON.stringify(text)}`,
      );
  }
}
const sum = [...alarms.values()].reduce((a, b) => a + b, 0);
console.log(`\nFalse alarms in ${neutral.length} neutral paragraphs: ${sum} spans in ${alarmed} paragraphs`);
if (sum > 0)
  console.log(
    table(
      ['class', 'spans'],
      [...alarms].map(([name, count]) => [name, String(count)]),
    ),
  );

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

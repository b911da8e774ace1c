/**
 * Reporter of the test command: one line per file while it runs; at the end what was skipped and why, every
 * failure in full, and Node's counts.
 *
 * @module scripts/test-reporter
 */
import { relative } from 'node:path';
import { inspect } from 'node:util';
import { groupFile } from './test-groups.ts';

interface TestData {
  readonly name: string;
  readonly nesting?: number;
  readonly file?: string;
  readonly line?: number;
  readonly skip?: string | boolean;
  readonly message?: string;
  readonly details?: { readonly duration_ms?: number; readonly type?: string; readonly error?: Error };
}
interface SummaryData {
  readonly file?: string;
  readonly success: boolean;
  readonly duration_ms: number;
  readonly counts: Readonly<
    Record<'tests' | 'suites' | 'passed' | 'failed' | 'cancelled' | 'skipped' | 'todo', number>
  >;
}
interface TestEvent {
  readonly type: string;
  readonly data: unknown;
}

export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const failures: string[] = [];
  const skipped: string[] = [];
  for await (const { type, data } of source) {
    if (isFileOfGroup(type, data as TestData)) yield groupedLine(type === 'test:pass', data as TestData);
    if (type === 'test:fail') {
      const test = data as TestData;
      // A suite or file that fails because of a test inside it would only repeat that test's story.
      if (!failedInside(test)) failures.push(describeFailure(test));
    } else if (type === 'test:pass') {
      const test = data as TestData;
      if (test.skip !== undefined && test.skip !== false) {
        const reason = typeof test.skip === 'string' && test.skip !== '' ? test.skip : 'no reason given';
        skipped.push(`﹣ ${place(test)} ${test.name}: ${reason}`);
      }
    } else if (type === 'test:stderr' || type === 'test:stdout') {
      // What tests print belongs to a failure's story, and a quiet suite prints nothing.
      yield (data as { message: string }).message;
    } else if (type === 'test:summary') {
      const summary = data as SummaryData;
      if (summary.file !== undefined) {
        // Of a group the files have been told, each at its end.
        if (!groupFile.test(summary.file) || summary.counts.tests === 0) yield fileLine(summary);
      } else yield `${[...skipped, ...failures, ...counts(summary)].join('\n')}\n`;
    }
  }
}

/** In a group of files each is a test with its path as its name. */
function isFileOfGroup(type: string, { name, nesting, file }: TestData): boolean {
  return (
    (type === 'test:pass' || type === 'test:fail') &&
    nesting === 0 &&
    groupFile.test(file ?? '') &&
    name.endsWith('.test.ts')
  );
}

function groupedLine(success: boolean, { name, details }: TestData): string {
  return `${success ? '✔' : '✖'} ${name} (${((details?.duration_ms ?? 0) / 1000).toFixed(1)} s)\n`;
}

function fileLine({ file, success, counts, duration_ms }: SummaryData): string {
  const tests = `${counts.tests} ${counts.tests === 1 ? 'test' : 'tests'}`;
  return `${success ? '✔' : '✖'} ${shorten(file)} (${tests}, ${(duration_ms / 1000).toFixed(1)} s)\n`;
}

function counts({ counts: c, duration_ms }: SummaryData): string[] {
  return [
    '',
    `ℹ tests ${c.tests}`,
    `ℹ suites ${c.suites}`,
    `ℹ pass ${c.passed}`,
    `ℹ fail ${c.failed}`,
    `ℹ cancelled ${c.cancelled}`,
    `ℹ skipped ${c.skipped}`,
    `ℹ todo ${c.todo}`,
    `ℹ duration_ms ${duration_ms}`,
  ];
}

function failedInside(test: TestData): boolean {
  return (test.details?.error as { failureType?: string } | undefined)?.failureType === 'subtestsFailed';
}

function describeFailure(test: TestData): string {
  const error = test.details?.error;
  // Node wraps what the test threw; the wrapper says nothing more.
  const thrown = error?.cause ?? error;
  const shown = typeof thrown === 'string' ? thrown : inspect(thrown, { depth: 8, maxStringLength: 20_000 });
  return `\n✖ ${place(test)} ${test.name}\n${shown.replace(/^/gm, '  ')}`;
}

function place(test: TestData): string {
  return test.file === undefined ? '' : `${shorten(test.file)}:${test.line ?? 1}`;
}

function shorten(file: string | undefined): string {
  return file === undefined ? '' : relative(process.cwd(), file);
}

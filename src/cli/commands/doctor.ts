/** `kith doctor`: checks with remedies. @module cli/commands/doctor */
import { formatDuration, formatPlural } from '../../base/index.ts';
import type { BackendFindings } from '../checks/backends.ts';
import { type Report, runChecks } from '../checks/run.ts';
import { exitCode } from '../failure.ts';
import { onInterrupt } from '../interrupt.ts';
import { asTyped, paint, plain, print, printJson, say } from '../output.ts';
import type { Handler } from '../program.ts';

const marks = {
  ok: ['green', 'ok  '],
  warn: ['yellow', 'warn'],
  fail: ['red', 'fail'],
  skipped: ['dim', 'skip'],
} as const;
type Status = keyof typeof marks;

const run: Handler = async ({ options }) => {
  using interrupt = onInterrupt();
  const wanted = {
    full: options.full === true,
    backend: options.backend === undefined ? null : String(options.backend),
    model: options.model === undefined ? null : String(options.model),
  };
  if (process.stderr.isTTY && !options.json)
    say(paint('dim', 'Looking; backends are asked for short answers.'));
  const report = await runChecks(options, wanted, interrupt.signal);
  const status = statusOf(report, wanted.backend !== null);
  if (options.json) printJson({ status, checks: report.findings, backends: report.backends });
  else {
    const { findings, backends } = report;
    const width = Math.max(
      ...findings.map(({ name }) => name.length),
      ...backends.flatMap(({ checks }) => checks.map(({ name }) => name.length)),
    );
    for (const { name, status: mark, message, remedy } of findings) line(mark, name, width, message, remedy);
    for (const backend of backends) show(backend, width);
  }
  return { ok: exitCode.ok, warn: exitCode.degraded, fail: exitCode.failure }[status];
};
export default run;

/**
 * `fail`: this machine has a fault, or no backend answers; or, asked about one backend, that has a fault. A fault of one
 * backend while another answers is a warning of the whole.
 */
export function statusOf({ findings, backends }: Report, one: boolean): 'ok' | 'warn' | 'fail' {
  const asked = backends.filter(({ answers }) => answers !== null);
  const noneAnswers = asked.length > 0 && asked.every(({ answers }) => answers === false);
  const broken = backends.some(({ status }) => status === 'fail');
  if (findings.some(({ status }) => status === 'fail') || noneAnswers || (one && broken)) return 'fail';
  const warned = findings.some(({ status }) => status === 'warn');
  return warned || broken || backends.some(({ status }) => status === 'warn') ? 'warn' : 'ok';
}

function show({ name, message, requests, tokens, ms, checks }: BackendFindings, width: number): void {
  print();
  const cost = `${formatPlural(requests, 'request')}, ${formatPlural(tokens, 'token')}, ${formatDuration(ms)}`;
  print(`${paint('bold', `backend ${name}`)}: ${message === null ? cost : asTyped(message)}`);
  const said = new Set<string>();
  for (const { name: check, state, message: found, remedy } of checks) {
    // What one fault makes all others skip is said once.
    if (state === 'skipped' && said.has(found)) continue;
    if (state === 'skipped') said.add(found);
    line(state, check, width, asTyped(found), remedy === null ? null : asTyped(remedy));
  }
}

function line(status: Status, name: string, width: number, message: string, remedy: string | null): void {
  const [colour, mark] = marks[status];
  print(`${paint(colour, mark)}  ${name.padEnd(width)}  ${plain(message)}`);
  if (remedy) print(`      ${' '.repeat(width)}  ${paint('dim', `→ ${plain(remedy)}`)}`);
}

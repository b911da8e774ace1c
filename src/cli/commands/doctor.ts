/** `kith doctor`: checks with remedies. @module cli/commands/doctor */
import { runChecks } from '../checks.ts';
import { exitCode } from '../failure.ts';
import { onInterrupt } from '../interrupt.ts';
import { paint, plain, print, printJson } from '../output.ts';
import type { Handler } from '../program.ts';

const marks = { ok: ['green', 'ok  '], warn: ['yellow', 'warn'], fail: ['red', 'fail'] } as const;

const run: Handler = async ({ options }) => {
  using interrupt = onInterrupt();
  const findings = await runChecks(options, options.full === true, interrupt.signal);
  const failed = findings.some((finding) => finding.status === 'fail');
  const warned = findings.some((finding) => finding.status === 'warn');
  if (options.json) printJson({ status: failed ? 'fail' : warned ? 'warn' : 'ok', checks: findings });
  else {
    const width = Math.max(...findings.map((finding) => finding.name.length));
    for (const { name, status, message, remedy } of findings) {
      const [colour, mark] = marks[status];
      print(`${paint(colour, mark)}  ${name.padEnd(width)}  ${plain(message)}`);
      if (remedy) print(`      ${' '.repeat(width)}  ${paint('dim', `→ ${remedy}`)}`);
    }
  }
  return failed ? exitCode.failure : warned ? exitCode.degraded : exitCode.ok;
};
export default run;

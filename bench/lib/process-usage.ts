/** CPU time and resident memory of processes, from /proc; NaN on other systems. @module bench/lib/process-usage */
import { readFileSync } from 'node:fs';

/** Clock ticks per second that the kernel reports times in; fixed at 100 on Linux. */
const ticksPerSecond = 100;

/** ms of CPU time that a process used so far, user and system, all threads. In steps of 10 ms. */
export function cpuMs(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
  } catch {
    return Number.NaN;
  }
}

/** Resident bytes of one process. */
export function rssOf(pid: number): number {
  try {
    return (
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) * 1024
    );
  } catch {
    return Number.NaN;
  }
}

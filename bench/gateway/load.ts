/** Whole answers: requests per second, times, and what each costs the gateway. @module bench/gateway/load */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpuMs } from '../lib/process-usage.ts';
import { cores, folder } from './pinned.ts';

export interface Load {
  readonly requests: number;
  readonly perSecond: number;
  /** ms of one request. */
  readonly p50: number;
  readonly p99: number;
  /** µs of processor time of the gateway's process for one request, user and system. */
  readonly cpu: number;
  /** Answers that were no 2xx, and connections that failed. */
  readonly failed: number;
}

export interface Asked {
  readonly pid: number;
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  readonly method?: 'GET' | 'POST';
  readonly path?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const lua = (text: string) => `[==[${text}]==]`;

let scripts = 0;

/** Asks with wrk on the second core. */
export async function load(asked: Asked): Promise<Load> {
  const { method = 'POST', path = '/v1/chat/completions', body = '', headers = {} } = asked;
  const script = join(folder, `load-${scripts++}.lua`);
  const all = { 'Content-Type': 'application/json', ...headers };
  writeFileSync(
    script,
    `wrk.method = "${method}"
${method === 'POST' ? `wrk.body = ${lua(body)}` : ''}
${Object.entries(all)
  .map(([name, value]) => `wrk.headers["${name}"] = ${lua(value)}`)
  .join('\n')}
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %f %f %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
`,
  );
  const before = cpuMs(asked.pid);
  const text = await output('taskset', [
    '-c',
    String(cores.others),
    'wrk',
    '-t1',
    `-c${asked.connections}`,
    `-d${asked.seconds}s`,
    '-s',
    script,
    `http://127.0.0.1:${asked.port}${path}`,
  ]);
  const spent = cpuMs(asked.pid) - before;
  const [, requests, duration, p50, p99, failed] = /RESULT (\S+) (\S+) (\S+) (\S+) (\S+)/
    .exec(text)!
    .map(Number);
  return {
    requests: requests!,
    perSecond: requests! / (duration! / 1e6),
    p50: p50! / 1000,
    p99: p99! / 1000,
    cpu: (spent * 1000) / requests!,
    failed: failed!,
  };
}

function output(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk;
    });
    child.once('close', (code) =>
      code === 0 ? resolve(text) : reject(new Error(`${program} ended with code ${code}.`)),
    );
  });
}

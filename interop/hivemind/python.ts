/**
 * A Python with the package `hivemind`: the one that KITH_INTEROP_PYTHON names, `python3` when it has the package, or an
 * environment below `interop/build/` that is made once.
 *
 * @module interop/hivemind/python
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const VENV = join(import.meta.dirname, '..', 'build', 'hivemind');
const PEER = join(import.meta.dirname, 'peer.py');
const VERSION = '1.1.12';
/** PyTorch comes with it, in gigabytes where the index of its small builds cannot be reached. */
const INSTALL_MS = 20 * 60_000;
const STEP_MS = 60_000;

const works = (python: string) =>
  spawnSync(python, ['-c', 'import hivemind'], { stdio: 'ignore', timeout: STEP_MS }).status === 0;

/** Path of a Python that has the package, or why there is none. */
export function findPython(): { readonly python: string } | { readonly missing: string } {
  const named = process.env.KITH_INTEROP_PYTHON;
  if (named !== undefined && named !== '')
    return works(named)
      ? { python: named }
      : { missing: `KITH_INTEROP_PYTHON is ${named}, which has no package hivemind` };
  if (works('python3')) return { python: 'python3' };
  const made = join(VENV, 'bin', 'python');
  if (existsSync(made) && works(made)) return { python: made };
  if (spawnSync('python3', ['--version'], { stdio: 'ignore' }).status !== 0)
    return { missing: 'there is no python3; install Python 3.10 or later' };
  console.log(`hivemind: installing ${VERSION} with PyTorch into ${VENV}, which takes minutes`);
  const run = (command: string, ...args: string[]) =>
    spawnSync(command, args, { encoding: 'utf8', timeout: INSTALL_MS });
  const venv = run('python3', '-m', 'venv', VENV);
  if (venv.status !== 0) return { missing: `python3 -m venv failed: ${lastLine(venv.stderr)}` };
  const small = ['--extra-index-url', 'https://download.pytorch.org/whl/cpu'];
  const pip = run(made, '-m', 'pip', 'install', '-q', '--retries', '1', ...small, `hivemind==${VERSION}`);
  if (pip.status !== 0) return { missing: `pip cannot install hivemind: ${lastLine(pip.stderr)}` };
  return works(made) ? { python: made } : { missing: `hivemind does not load in ${VENV}` };
}

function lastLine(text: string | null): string {
  return (text ?? '').trim().split('\n').at(-1)?.slice(0, 300) || 'no reason was given';
}

/** A node of the real package in a process of its own. Values cross as Python writes them. */
export class PythonPeer implements AsyncDisposable {
  readonly addresses: readonly string[];
  readonly version: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(
    child: ChildProcess,
    lines: AsyncIterator<string>,
    ready: { readonly ready: readonly string[]; readonly version: string },
  ) {
    this.#child = child;
    this.#lines = lines;
    this.addresses = ready.ready;
    this.version = ready.version;
  }

  static async start(python: string, join: readonly string[] = []): Promise<PythonPeer> {
    const child = spawn(python, [PEER, ...join], { stdio: ['pipe', 'pipe', 'pipe'] });
    let said = '';
    child.stderr.on('data', (data: Buffer) => {
      said = (said + data.toString()).slice(-2000);
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done === true) throw new Error(`The Python node did not start:\n${said}`);
    return new PythonPeer(child, lines, JSON.parse(first.value) as never);
  }

  /** `key`, `subkey` and `value` are literals of Python. False when its store was refused. */
  async store(record: {
    readonly key: string;
    readonly subkey?: string;
    readonly value: string;
    readonly expiration?: number;
  }): Promise<{ readonly stored: boolean; readonly expiration: number }> {
    return (await this.#ask({ do: 'store', ...record })) as never;
  }

  /** The value as Python writes it; null when it finds none. */
  async get(key: string): Promise<{ readonly value: string; readonly expiration: number } | null> {
    return ((await this.#ask({ do: 'get', key })) as { readonly found: never }).found;
  }

  async #ask(what: object): Promise<unknown> {
    this.#child.stdin!.write(`${JSON.stringify(what)}\n`);
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('The Python node ended.');
    return JSON.parse(value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin!.end();
    // Its daemon ends with it; what hangs is not waited for.
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(timer);
  }
}

/**
 * What `kith doctor` looks at. Each check says what it found and what to do about it.
 *
 * @module cli/checks/run
 */
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Config, messageOf, type ResolvedConfig } from '../../base/index.ts';
import {
  configWarnings,
  findNode,
  knowledgeFolder,
  openEngineRooms,
  type RunningNode,
} from '../../node/index.ts';
import { asTyped } from '../output.ts';
import { quietLog } from '../quiet-log.ts';
import { settingsOf } from '../settings.ts';
import { type BackendFindings, checkBackends } from './backends.ts';
import { type Check, type Finding, fail, ok, type Verdict, warn } from './finding.ts';
import { checkClock, checkDisk, checkHome, checkKnowledge, checkPort, checkRuntime } from './machine.ts';
import { checkModels } from './models.ts';
import { checkAccess, checkAlerts, checkNode } from './node.ts';

export interface Wanted {
  /** Hash every model file again. */
  readonly full: boolean;
  /** Only this backend, and the configuration that it stands in; null = everything. */
  readonly backend: string | null;
  /** Model that backends are asked for; null = as configured. */
  readonly model: string | null;
}

export interface Report {
  readonly findings: readonly Finding[];
  readonly backends: readonly BackendFindings[];
}

/** Runs every check; one that throws is a finding itself, never the end of the others. */
export async function runChecks(
  options: Readonly<Record<string, unknown>>,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<Report> {
  const all = wanted.backend === null;
  const findings: Finding[] = [];
  const check = async (name: string, look: () => Promise<Verdict> | Verdict, remedy: string) => {
    let verdict: Verdict;
    try {
      verdict = await look();
    } catch (error) {
      if (signal.aborted) throw error;
      verdict = fail(messageOf(error), remedy);
    }
    findings.push({
      name,
      ...verdict,
      message: asTyped(verdict.message),
      remedy: verdict.remedy === null ? null : asTyped(verdict.remedy),
    });
  };

  if (all) {
    await check('runtime', checkRuntime, 'Install Node 24 from https://nodejs.org.');
    await check('clock', checkClock, "Set this machine's clock.");
  }
  let resolved: ResolvedConfig | null = null;
  await check(
    'config',
    () => {
      resolved = settingsOf(options);
      checkAccess(resolved.config);
      const warnings = configWarnings(resolved.config);
      if (warnings.length > 0)
        return warn(
          warnings.join(' '),
          'Correct it in config.yaml or the environment, or leave it as it is.',
        );
      return ok(`${resolved.file} and the environment are valid`);
    },
    'Correct or remove what is named; `kith config keys` says what is allowed.',
  );
  // Without a valid configuration the defaults say where to look.
  const config: Config = (resolved as ResolvedConfig | null)?.config ?? defaultsFor(options);
  let node: RunningNode = { state: 'down' };
  const findIt = async (): Promise<RunningNode> => {
    node = await findNode(config.home);
    return node;
  };
  if (all) await checkMachine(config, findIt, check);
  else await findIt();
  await using rooms = await openEngineRooms(config, quietLog());
  if (all) await checkModels(rooms, config, wanted.full, signal, check);
  // Where requests go is not known.
  if (resolved === null) return { findings, backends: [] };
  const { backend: only, model } = wanted;
  return { findings, backends: await checkBackends({ config, rooms, node, only, model, signal }, check) };
}

async function checkMachine(config: Config, findIt: () => Promise<RunningNode>, check: Check): Promise<void> {
  await check(
    'home',
    () => checkHome(config.home),
    'Make the folder writable for this user, or choose another one with --home.',
  );
  await check(
    'knowledge',
    () => checkKnowledge(knowledgeFolder(config)),
    'Make the folder writable for this user, or choose another one: kith config set knowledge.folder FOLDER',
  );
  await check('disk', () => checkDisk(config.home), 'Free some space, or move the node with --home.');
  let node: RunningNode = { state: 'down' };
  await check(
    'node',
    async () => {
      node = await findIt();
      return await checkNode(config.home, node);
    },
    `Stop it with \`kith stop\` and start it again.`,
  );
  if ((node as RunningNode).state === 'running')
    await check(
      'alerts',
      () => checkAlerts(node),
      'Look at `kith logs`, then stop the node and start it again.',
    );
  await check('port', () => checkPort(config, node), `Choose another port: kith config set server.port N`);
}

/** The defaults with this command's home: enough to go on checking when the configuration is broken. */
function defaultsFor(options: Readonly<Record<string, unknown>>): Config {
  // An empty environment and a home that is not there give the defaults, whatever is wrong.
  const { config } = settingsOf({ home: join(tmpdir(), `kith-none-${process.pid}`) }, {});
  const home = typeof options.home === 'string' ? options.home : process.env.KITH_HOME;
  return { ...config, home: resolve(home ?? join(homedir(), '.kith')) };
}

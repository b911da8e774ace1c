/**
 * What computes here, by name: two nodes that give the same one give the same bits for the same passes, so audits compare their rows
 * exactly.
 *
 * @module node/shards/build
 */
import { createHash } from 'node:crypto';
import { arch, platform } from 'node:os';
import type { Config } from '../../base/index.ts';
import type { Engine, EngineDevices } from '../../engine/index.ts';

/**
 * The engine's release, the processor and what of it is used, how KV rows are kept, and the threads among which sums are
 * shared out. Empty on other devices: what they add up in which order depends on more than can be named.
 */
export function buildOf(
  devices: Pick<EngineDevices, 'active' | 'threads' | 'devices' | 'release' | 'cpuFeatures' | 'repack'>,
  kvType: Config['engine']['kvType'],
): string {
  const { active, threads, release, cpuFeatures, repack } = devices;
  const used = devices.devices.find(({ name }) => active.startsWith(`${name} (`));
  if (used?.kind !== 'cpu') return '';
  const features = createHash('sha256')
    .update(JSON.stringify([cpuFeatures, repack]))
    .digest('hex');
  return `${release} ${platform()}-${arch()} ${used.description.slice(0, 80)} ${features.slice(0, 12)} kv ${kvType} threads ${threads}`;
}

/** Asked when it is wanted: by then the engine process runs. */
export function buildHere({
  engine,
  config,
}: {
  readonly engine: Pick<Engine, 'devices'>;
  readonly config: Config;
}): () => Promise<string> {
  return async () => buildOf(await engine.devices(), config.engine.kvType);
}

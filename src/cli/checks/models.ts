/**
 * Checks of the engine and the models of this machine.
 *
 * @module cli/checks/models
 */
import { type Config, isKithError } from '../../base/index.ts';
import type { ModelEntry } from '../../models/index.ts';
import type { EngineRooms } from '../../node/index.ts';
import { type Check, fail, ok, type Verdict, warn } from './finding.ts';
import { checkMemory } from './machine.ts';

/** Devices, and every model that is on this disk. */
export async function checkModels(
  rooms: EngineRooms,
  config: Config,
  full: boolean,
  signal: AbortSignal,
  check: Check,
): Promise<void> {
  await check(
    'engine',
    async () => {
      const devices = await rooms.engine.devices(signal);
      const [first] = devices.skipped;
      const what = `llama.cpp libraries ${devices.release} load; computing on ${devices.active}`;
      return first
        ? warn(
            `${what}; ${first.path} does not: ${first.reason}`,
            'Install the GPU driver, or remove the package from <home>/engine/backends.',
          )
        : ok(what);
    },
    'Run `npm ci` again, without --omit=optional.',
  );
  for (const [task, id] of [
    ['chat model', config.models.default],
    ['embedding model', config.models.embedding],
  ] as const) {
    let entry: ModelEntry | null = null;
    await check(
      task,
      async () => {
        entry = await rooms.store.get(id);
        return await checkModel(rooms.store, entry, full, signal);
      },
      `Get it with: kith models pull ${id}`,
    );
    if (task === 'chat model' && entry !== null) {
      const { bytes } = (entry as ModelEntry).manifest;
      await check('memory', () => checkMemory(id, bytes), 'Choose a smaller model.');
    }
  }
  let others: ModelEntry[] = [];
  await check(
    'model store',
    async () => {
      const all = await rooms.store.list();
      const defaults = [config.models.default, config.models.embedding];
      const ready = all.filter(({ state }) => state === 'ready');
      others = ready.filter(({ manifest }) => !defaults.includes(manifest.id));
      return ok(`${ready.length} of ${all.length} known models are on this disk`);
    },
    'Make <home>/models readable for this user.',
  );
  for (const entry of others) {
    await check(
      `model ${entry.manifest.id}`,
      () => checkModel(rooms.store, entry, full, signal),
      'Remove it, or get it again.',
    );
  }
}

async function checkModel(
  store: { verify(id: string, options: { signal: AbortSignal }): Promise<ModelEntry> },
  { manifest, state, verifiedAt }: ModelEntry,
  full: boolean,
  signal: AbortSignal,
): Promise<Verdict> {
  const { id } = manifest;
  if (state === 'partial')
    return warn(`The download of ${id} is not complete.`, `Go on with: kith models pull ${id}`);
  if (state === 'blocks' && !full) return ok(`${id} is here in part, each tensor checked when it came`);
  if (state === 'available') return ok(`${id} is placed at the first use`);
  // A file that is as it was when its hash was right is not read again, unless asked.
  if (!full && verifiedAt !== null)
    return ok(`${id} is as it was when its sha256 was right (${new Date(verifiedAt).toISOString()})`);
  try {
    await store.verify(id, { signal });
    return ok(`${id}: the sha256${state === 'blocks' ? ' of each tensor that is here' : ''} is right`);
  } catch (error) {
    if (!isKithError(error) || error.code !== 'model_corrupt') throw error;
    const { path, why, remedy } = error.details;
    return fail(`${id} is damaged: ${path}: ${why}`, String(remedy));
  }
}

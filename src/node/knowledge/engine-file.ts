/**
 * Which knowledge bases have their vectors in an engine, in `vault/engines.json`: with the credentials, so that only its owner may read it.
 *
 * @module node/knowledge/engine-file
 */
import { dirname } from 'node:path';
import { z } from 'zod';
import {
  isKithError,
  KithError,
  makeFolder,
  messageOf,
  oneAtATime,
  readFileBounded,
  writeFileAtomic,
} from '../../base/index.ts';
import { ENGINE_KINDS } from '../../vault/index.ts';

const MAX_BYTES = 1 << 20;

const collection = z.strictObject({
  name: z.string().regex(/^[0-9a-f]{32}$/u),
  dimension: z.int().min(1),
});
const entry = z.strictObject({
  kb: z.string().min(1).max(64),
  /** Of its file: another one of that name is another knowledge base. */
  kbId: z.string().min(1).max(64),
  address: z.strictObject({
    kind: z.enum(ENGINE_KINDS),
    shown: z.string(),
    host: z.string(),
    port: z.int(),
    tls: z.enum(['off', 'verified', 'unverified']),
    user: z.string(),
    database: z.string(),
    secret: z.string().nullable(),
  }),
  /** Searches ask it unless they say otherwise. */
  search: z.boolean(),
  /** What is there, and of which model's vectors; null before the first sync. */
  collection: collection.nullable(),
  embedder: z.string().nullable(),
  /** Collections that are to be removed there. */
  old: z.array(collection).max(1000),
  /** Of the knowledge base when it was synced last, when that was, and how many points there were. */
  version: z.int().nullable(),
  synced: z.int().nullable(),
  points: z.int().nullable(),
});
const contents = z.strictObject({ version: z.literal(1), engines: z.array(entry).max(10_000) });

export type EngineEntry = Readonly<z.output<typeof entry>>;

export interface EngineFile {
  all(): Promise<EngineEntry[]>;
  of(kb: string): Promise<EngineEntry | null>;
  /** Puts it in the place of the one of its knowledge base. */
  save(entry: EngineEntry): Promise<void>;
  remove(kb: string): Promise<void>;
}

/** Read anew by each who asks: it is small, and commands without a node read it too. */
export function engineFile(path: string): EngineFile {
  const inTurn = oneAtATime();

  async function all(): Promise<EngineEntry[]> {
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(await readFileBounded(path, MAX_BYTES));
      return contents.parse(JSON.parse(text)).engines;
    } catch (error) {
      if (isKithError(error) && error.code === 'file_not_found') return [];
      throw new KithError(
        'engine_file_damaged',
        // Never what it holds.
        `${path} cannot be read as the list of engines (${error instanceof z.ZodError || error instanceof SyntaxError ? 'it is damaged' : messageOf(error)}). Remove it, then connect the engines again: kith vpk engine connect KB URL.`,
        { status: 500 },
      );
    }
  }

  const change = (next: (engines: EngineEntry[]) => EngineEntry[]): Promise<void> =>
    inTurn(async () => {
      const engines = next(await all());
      await makeFolder(dirname(path), 0o700);
      await writeFileAtomic(path, `${JSON.stringify({ version: 1, engines })}\n`, { mode: 0o600 });
    });

  return {
    all,
    of: async (kb) => (await all()).find((each) => each.kb === kb) ?? null,
    save: (saved) => change((engines) => [...engines.filter(({ kb }) => kb !== saved.kb), saved]),
    async remove(kb) {
      if ((await all()).some((each) => each.kb === kb))
        await change((engines) => engines.filter((each) => each.kb !== kb));
    },
  };
}

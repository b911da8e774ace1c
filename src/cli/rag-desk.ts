/**
 * The knowledge bases of a home: over the node that runs, or opened here when none does.
 *
 * @module cli/rag-desk
 */
import { systemClock, systemRandom } from '../base/index.ts';
import type { ImportReport } from '../knowledge/index.ts';
import { createNodeKnowledge, openEngineRooms } from '../node/index.ts';
import {
  type AnswerEventView,
  type AnswerQuery,
  type AnswersDesk,
  answerEventView,
  type CacheDesk,
  type DocumentView,
  type DreamDesk,
  type EnginesDesk,
  type ExchangeDesk,
  type FileView,
  type GraphDesk,
  type JobView,
  type KbView,
  type KnowledgeAreas,
  type KnowledgeDesk,
  type SharesDesk,
  type UpkeepDesk,
  type VaultDesk,
  type VaultGrantDesk,
} from '../server/index.ts';
import { connect, type NodeClient } from './client.ts';
import { createProgress } from './progress.ts';
import { quietLog } from './quiet-log.ts';
import { dreamsOverHttp } from './rag-dream-desk.ts';
import { enginesOverHttp } from './rag-engine-desk.ts';
import { graphOverHttp } from './rag-graph-desk.ts';
import { sharesOverHttp } from './rag-share-desk.ts';
import { upkeepOverHttp } from './rag-upkeep-desk.ts';
import { vaultOverHttp } from './rag-vault-desk.ts';
import { vaultGrantsOverHttp } from './rag-vault-grant-desk.ts';
import { settingsOf } from './settings.ts';

/** As `AnswersDesk`, with sources as they are shown. */
export interface Answers {
  answer(kb: string, query: AnswerQuery, signal: AbortSignal): Promise<AsyncIterable<AnswerEventView>>;
}

export interface RagDesk {
  readonly desk: Omit<KnowledgeDesk, 'file' | 'uploadFrom' | keyof KnowledgeAreas> & {
    readonly answers: Answers;
    readonly cache: CacheDesk;
    readonly exchange: ExchangeDesk;
    readonly dream: DreamDesk;
    readonly engines: EnginesDesk;
    readonly graph: GraphDesk;
    readonly shares: SharesDesk;
    readonly upkeep: UpkeepDesk;
    readonly vault: VaultDesk;
    readonly vaultGrants: VaultGrantDesk;
  };
  /** Jobs end with this command: no node runs that goes on with them. */
  readonly isHere: boolean;
}

export async function withRag<T>(
  options: Readonly<Record<string, unknown>>,
  work: (rag: RagDesk) => Promise<T>,
): Promise<T> {
  const { config } = settingsOf(options);
  const node = await connect(config.home);
  if (node !== null) return work({ desk: overHttp(node), isHere: false });
  const log = quietLog();
  const bar = createProgress();
  await using rooms = await openEngineRooms(config, log, (model, step) => bar.update(model, step));
  await using knowledge = await createNodeKnowledge({
    ...{ config, log, clock: systemClock, random: systemRandom },
    // No gateway is opened beside a node's: this machine's engine writes.
    ...{ engine: rooms.engine, models: rooms.store, gateway: rooms.local },
    local: {
      prepare: async (model, signal) => {
        try {
          return await rooms.local.prepare(model, signal);
        } finally {
          bar.clear();
        }
      },
    },
  });
  // Awaited here: what it works with is closed behind it.
  return await work({ desk: { ...knowledge.desk, answers: shown(knowledge.desk.answers) }, isHere: true });
}

function shown(desk: AnswersDesk): Answers {
  return {
    async answer(kb, query, signal) {
      const events = await desk.answer(kb, query, signal);
      return (async function* () {
        for await (const event of events) yield answerEventView(event);
      })();
    },
  };
}

const BASE = '/api/rag/kbs';

export function overHttp(node: NodeClient): RagDesk['desk'] {
  const of = (kb: string): string => `${BASE}/${encodeURIComponent(kb)}`;
  const inside = (path: string): string => path.split('/').map(encodeURIComponent).join('/');
  const query = (values: Readonly<Record<string, string | number | undefined>>): string =>
    new URLSearchParams(
      Object.entries(values).flatMap(([name, value]): [string, string][] =>
        value === undefined ? [] : [[name, String(value)]],
      ),
    ).toString();
  return {
    list: async () => (await node.call<{ kbs: KbView[] }>('GET', BASE)).kbs,
    create: (body) => node.call('POST', BASE, { body }),
    show: (kb) => node.call('GET', of(kb)),
    destroy: async (kb, keep) => void (await node.call('DELETE', `${of(kb)}?keep=${keep}`)),
    ingest: (kb, body) => node.call('POST', `${of(kb)}/ingest`, { body }),
    upload: (kb, path, bytes) => node.call('POST', `${of(kb)}/ingest?${query({ path })}`, { bytes }),
    sync: async (kb, body) => (await node.call<{ jobs: JobView[] }>('POST', `${of(kb)}/sync`, { body })).jobs,
    unfollow: (kb, { folder, keep }) =>
      node.call('DELETE', `${of(kb)}/folders?${query({ folder, keep: String(keep) })}`),
    rebuild: (kb, only) => node.call('POST', `${of(kb)}/rebuild?${query({ only })}`),
    jobs: async (kb) => (await node.call<{ jobs: JobView[] }>('GET', `${of(kb)}/jobs`)).jobs,
    job: (kb, id, seen) => node.call('GET', `${of(kb)}/jobs/${id}${seen === null ? '' : `?seen=${seen}`}`),
    cancel: (kb, id) => node.call('DELETE', `${of(kb)}/jobs/${id}`),
    documents: async (kb, page) =>
      (await node.call<{ documents: DocumentView[] }>('GET', `${of(kb)}/documents?${query({ ...page })}`))
        .documents,
    removeDocument: async (kb, path) =>
      (await node.call<{ removed: number }>('DELETE', `${of(kb)}/documents/${inside(path)}`)).removed,
    files: async (kb, page) =>
      (await node.call<{ files: FileView[] }>('GET', `${of(kb)}/files?${query({ ...page })}`)).files,
    search: (kb, body) => node.call('POST', `${of(kb)}/search`, { body }),
    shares: sharesOverHttp(node),
    upkeep: upkeepOverHttp(node, of),
    vault: vaultOverHttp(node, of),
    vaultGrants: vaultGrantsOverHttp(node, of),
    dream: dreamsOverHttp(node, of),
    engines: enginesOverHttp(node, of),
    graph: graphOverHttp(node, of),
    exchange: {
      exportNotes: (kb, body) => node.call('POST', `${of(kb)}/export/notes`, { body }),
      importNotes: async (kb, body, signal) =>
        (await node.post(`${of(kb)}/import/notes`, body, signal)) as ImportReport,
      backup: (kb, body) => node.call('POST', `${of(kb)}/export/file`, { body }),
      restore: (kb, body) => node.call('POST', `${of(kb)}/import/file`, { body }),
    },
    cache: {
      stats: (kb) => node.call('GET', `${of(kb)}/cache`),
      clear: async (kb) => (await node.call<{ removed: number }>('DELETE', `${of(kb)}/cache`)).removed,
    },
    answers: {
      answer: async (kb, query, signal) =>
        node.stream(`${of(kb)}/answer`, { ...query, stream: true }, signal) as AsyncIterable<AnswerEventView>,
    },
  };
}

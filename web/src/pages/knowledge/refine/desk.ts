/**
 * Dreams and merges of a knowledge base as the page asks for them, for the owner alone.
 *
 * @module web/pages/knowledge/refine/desk
 */
import type {
  DreamEntry,
  DreamJournal,
  DreamQuery,
  DreamView,
  ScoreView,
} from '../../../../../src/server/rag/dream-types.ts';
import type { GraphDesk } from '../../../../../src/server/rag/graph-types.ts';
import { asOwner } from '../../../data/owner.ts';

export type { DreamEntry, DreamJournal, DreamView, ScoreView };
export type Merge = Awaited<ReturnType<GraphDesk['merges']>>[number];
export type Proposal = Awaited<ReturnType<GraphDesk['proposals']>>[number];

const of = (kb: string) => `/api/rag/kbs/${encodeURIComponent(kb)}`;

export const score = (kb: string) => asOwner<ScoreView>('GET', `${of(kb)}/graph/score?limit=8`);
export const dreams = async (kb: string) =>
  (await asOwner<{ runs: readonly DreamView[] }>('GET', `${of(kb)}/dreams?limit=20`)).runs;
export const beginDream = (kb: string, order: Partial<DreamQuery>) =>
  asOwner<{ readonly run: DreamView }>('POST', `${of(kb)}/dreams`, order);
export const journal = (kb: string, run: number, after: number, limit: number) =>
  asOwner<DreamJournal>('GET', `${of(kb)}/dreams/${run}?after=${after}&limit=${limit}`);
export const undoDream = (kb: string, run: number) =>
  asOwner<DreamView>('POST', `${of(kb)}/dreams/${run}/undo`);

export const merges = async (kb: string) =>
  (await asOwner<{ merges: readonly Merge[] }>('GET', `${of(kb)}/graph/merges`)).merges;
export const proposals = async (kb: string) =>
  (await asOwner<{ proposals: readonly Proposal[] }>('GET', `${of(kb)}/graph/proposals`)).proposals;
export const merge = (kb: string, alias: string, entity: string, reason?: string) =>
  asOwner<Merge>('POST', `${of(kb)}/graph/merges`, {
    ...{ alias, entity },
    ...(reason === undefined ? {} : { reason: reason.slice(0, 500) }),
  });
export const unmerge = (kb: string, id: number) => asOwner<Merge>('DELETE', `${of(kb)}/graph/merges/${id}`);

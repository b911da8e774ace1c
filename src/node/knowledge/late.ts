/**
 * The node's knowledge bases, whose code is loaded by the first question: it takes a third of a second (once, on a busy machine), and many
 * nodes have none.
 *
 * @module node/knowledge/late
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { KithError } from '../../base/index.ts';
import type { KnowledgeAreas, KnowledgeDesk } from '../../server/index.ts';
import { knowledgeFolder } from '../home-files.ts';
import type { NodeKnowledge, NodeKnowledgeParts } from './desk.ts';
import { createShareDoor } from './share-door.ts';

export function lateKnowledge(parts: NodeKnowledgeParts): NodeKnowledge {
  let loading: Promise<NodeKnowledge> | null = null;
  let closed = false;
  function load(): Promise<NodeKnowledge> {
    if (closed)
      throw new KithError('stopping', 'This node is shutting down.', { status: 503, retryAfter: 5 });
    loading ??= import('./desk.ts').then(({ createNodeKnowledge }) => createNodeKnowledge(parts));
    return loading;
  }
  const need = async (): Promise<KnowledgeDesk> => (await load()).desk;
  /** A part of the desk, by the names of what it does: all of these are asynchronous. */
  const later = <Area extends keyof KnowledgeAreas>(
    area: Area,
    names: readonly (keyof KnowledgeAreas[Area])[],
  ): KnowledgeAreas[Area] =>
    Object.fromEntries(
      names.map((name) => [
        name,
        async (...given: readonly unknown[]) => {
          const part = (await need())[area];
          return (part[name] as (...given: readonly unknown[]) => unknown)(...given);
        },
      ]),
    ) as unknown as KnowledgeAreas[Area];
  const door = createShareDoor(parts.config, {
    clock: parts.clock,
    tierOf: (peer) => parts.sharing?.peers.standing(peer).tier ?? 'unknown',
  });
  return {
    answerPeer: (call) => door.pass(call.peer, async () => (await load()).answerPeer(call)),
    desk: {
      answers: later('answers', ['answer']),
      cache: later('cache', ['stats', 'clear']),
      dream: later('dream', ['score', 'run', 'runs', 'extraction', 'journal', 'undo']),
      exchange: later('exchange', ['exportNotes', 'importNotes', 'backup', 'restore']),
      graph: later('graph', [
        ...(['entities', 'entity', 'network', 'merges', 'merge', 'unmerge'] as const),
        ...(['proposals', 'timeline', 'communities'] as const),
      ]),
      shares: later('shares', [
        ...(['give', 'given', 'revoke', 'accept', 'acceptFrom'] as const),
        ...(['accepted', 'forget', 'search', 'answer'] as const),
      ]),
      reading: later('reading', ['passages', 'original', 'fileBytes']),
      vault: later('vault', [
        ...(['discover', 'placed', 'info', 'place', 'sync', 'repair'] as const),
        ...(['change', 'check', 'search', 'remove', 'find', 'restore'] as const),
      ]),
      vaultGrants: later('vaultGrants', ['give', 'given', 'revoke', 'rotate', 'resolve', 'search']),
      engines: later('engines', ['list', 'connect', 'info', 'sync', 'search', 'disconnect']),
      upkeep: later('upkeep', ['chunking', 'setChunking', 'preview']),
      list: async () => (await need()).list(),
      create: async (kb) => (await need()).create(kb),
      show: async (kb) => (await need()).show(kb),
      destroy: async (kb, keep) => (await need()).destroy(kb, keep),
      ingest: async (kb, order) => (await need()).ingest(kb, order),
      upload: async (kb, path, bytes) => (await need()).upload(kb, path, bytes),
      uploadFrom: async (kb, path, body) => (await need()).uploadFrom(kb, path, body),
      unfollow: async (kb, order) => (await need()).unfollow(kb, order),
      sync: async (kb, order) => (await need()).sync(kb, order),
      rebuild: async (kb, only) => (await need()).rebuild(kb, only),
      jobs: async (kb) => (await need()).jobs(kb),
      job: async (kb, id, seen, signal) => (await need()).job(kb, id, seen, signal),
      cancel: async (kb, id) => (await need()).cancel(kb, id),
      documents: async (kb, page) => (await need()).documents(kb, page),
      removeDocument: async (kb, path) => (await need()).removeDocument(kb, path),
      files: async (kb, page) => (await need()).files(kb, page),
      file: async (kb, path) => (await need()).file(kb, path),
      search: async (kb, query, signal) => (await need()).search(kb, query, signal),
    },
    async resume() {
      const registry = join(knowledgeFolder(parts.config), 'registry.sqlite');
      if ((await stat(registry).catch(() => null)) !== null) await (await load()).resume();
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      await (await loading)?.[Symbol.asyncDispose]();
    },
  };
}

/**
 * Answers peers that show a grant. Each call is held against the grants in the home when it comes, and again before its answer
 * leaves; a grant that is revoked meanwhile ends it at once. Questions are not written down anywhere.
 *
 * @module node/knowledge/share-serving
 */
import {
  aheadText,
  type Clock,
  isKithError,
  type KithError,
  type Logger,
  messageOf,
  type Random,
} from '../../base/index.ts';
import { didOfPeerId, type Identity } from '../../identity/index.ts';
import {
  collectAnswer,
  createAnswerer,
  decodeRequest,
  encodeAnswer,
  encodeGrants,
  encodeReply,
  type Filter,
  type Grant,
  type Hit,
  RAG_BOUNDS,
  type RagHit,
  type RagQuestion,
  type RagReply,
  readGrant,
  type StoredChunk,
} from '../../knowledge/index.ts';
import type { IncomingCall, ReplyInit } from '../../swarm/index.ts';
import type { OpenKb } from './kbs.ts';
import { refused } from './share-door.ts';
import { createScopes } from './share-scopes.ts';
import type { ShareStore } from './share-store.ts';

export interface ShareServingParts {
  readonly identity: Pick<Identity, 'did'>;
  readonly store: () => Promise<ShareStore>;
  readonly withKb: <T>(name: string, work: (kb: OpenKb) => Promise<T>) => Promise<T>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export interface ShareServing extends Disposable {
  answer(call: Pick<IncomingCall, 'peer' | 'payload' | 'signal'>): Promise<ReplyInit>;
  /** Ends the calls under way by this grant. */
  stop(id: string): void;
}

/** What a peer is told as it is; all else is `rag_refused`. */
const PASSED: ReadonlySet<string> = new Set(['rag_refused', 'rag_busy', 'aborted']);

export function createShareServing({
  identity,
  withKb,
  clock,
  random,
  log,
  ...parts
}: ShareServingParts): ShareServing {
  const underWay = new Map<string, Set<AbortController>>();
  const scopes = createScopes();

  /** Why a grant does not hold now, for its owner; null: it holds. */
  function against({ byId }: ShareStore, grant: Grant, right: RagQuestion['op']): string | null {
    const now = clock.now();
    const day = (at: number) => new Date(at).toISOString();
    const told = (what: string) => `${what}; the clock of this node says ${day(now)}`;
    const kept = byId(grant.id);
    if (kept === null) return 'it is not among the grants of this node';
    if (kept.revoked !== null) return `it was revoked on ${day(kept.revoked)}`;
    if (now < grant.from) return `it holds from ${day(grant.from)}, ${aheadText(grant.from, now)}`;
    if (now >= grant.until) return told(`it ended on ${day(grant.until)}`);
    return grant.rights.includes(right) ? null : `it gives no right to ${right}`;
  }

  async function look(
    kb: OpenKb,
    grant: Grant,
    asked: RagQuestion,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    return scopes.within(kb.store, grant, signal, async (scope) => {
      const { question, k, mode } = asked;
      const filter: Filter | undefined = asked.filter ?? undefined;
      /** Again, of what is in the part by now: documents may have left it while the model worked. */
      const visible = (): ((chunk: StoredChunk) => boolean) => {
        const rows = kb.store.rowsOf(grant.filter);
        const now = new Set(rows);
        return rows === null ? () => true : ({ row }) => now.has(row);
      };
      const nothing: RagReply = { hits: [], by: [], degraded: null, embedder: null, cut: false };
      if (scope !== null && scope.rowsOf(undefined).length === 0)
        return asked.op === 'answer' ? encodeAnswer({ text: '', hits: [] }) : encodeReply(nothing);
      if (asked.op === 'search') {
        const found = await kb.retriever.search(question, {
          ...{ limit: k, by: mode, filter, signal },
          ...(scope === null ? {} : { within: scope }),
        });
        return encodeReply({
          hits: shown(found.hits, visible()),
          by: found.by,
          degraded: found.degraded?.code ?? null,
          embedder: kb.store.embedder?.id ?? null,
          cut: false,
        });
      }
      const { store, retriever, embedder } = kb;
      const answerer = createAnswerer({
        retriever:
          scope === null
            ? retriever
            : { search: (text, options) => retriever.search(text, { ...options, within: scope }) },
        store:
          scope === null
            ? store
            : {
                neighbours: (row, n) => store.neighbours(row, n),
                lexical: (...of) => scope.lexical(...of),
                counts: () => ({ ...store.counts(), chunks: scope.rowsOf(undefined).length }),
                chunk: () => null,
                chunksOf: () => [],
              },
        ...{ embedder, writer: null, clock, random },
      });
      const said = await collectAnswer(
        answerer.answer(question, { search: { by: mode, filter }, sources: Math.min(k, 8), signal }),
      );
      const sources = said.events.find((event) => event.type === 'sources')?.sources ?? [];
      const isVisible = visible();
      const isAnswer = said.events.some((event) => event.type === 'finish' && event.outcome !== 'refused');
      if (!isAnswer || !sources.every(({ chunks }) => chunks.every(isVisible)))
        return encodeAnswer({ text: '', hits: [] });
      return encodeAnswer({
        text: said.text,
        hits: sources.map(({ chunks, hit, text }) => {
          const best = chunks.find(({ row }) => row === hit?.chunk.row) ?? chunks[0]!;
          return { ...chunkOut(best), text, score: hit?.score ?? 0, words: null, vector: null };
        }),
      });
    });
  }

  /** Counts are worth less than an answer, as on a full disk. */
  function note(write: () => void): void {
    try {
      write();
    } catch (error) {
      log.warn('what became of a grant was not written down', { err: messageOf(error) });
    }
  }

  async function ask(peer: string, asked: RagQuestion, callSignal: AbortSignal): Promise<Uint8Array> {
    const grant = readGrant(asked.grant);
    if (grant.issuer !== identity.did || grant.holder !== didOfPeerId(peer)) throw refused();
    const store = await parts.store();
    /** The peer learns nothing; who gave the grant is told why. */
    const refuse = (why: string): KithError => {
      note(() => store.noteRefusal(grant.id, why, Math.floor(clock.now())));
      log.info('a peer was refused a shared knowledge base', { peer, grant: grant.id, why });
      return refused();
    };
    const why = against(store, grant, asked.op);
    if (why !== null) throw refuse(why);
    const ending = new AbortController();
    const calls = underWay.get(grant.id) ?? new Set();
    underWay.set(grant.id, calls.add(ending));
    const signal = AbortSignal.any([callSignal, ending.signal]);
    try {
      const payload = await withKb(grant.name, async (kb) => {
        if (kb.store.id !== grant.kb) throw refuse('the knowledge base of that name is another one now');
        return look(kb, grant, asked, signal);
      });
      const meanwhile = against(store, grant, asked.op);
      if (meanwhile !== null) throw refuse(meanwhile);
      note(() => store.noteUse(grant.id, Math.floor(clock.now())));
      return payload;
    } catch (error) {
      if (isKithError(error) && error.code === 'rag_refused') throw error;
      if (ending.signal.aborted) throw refuse(against(store, grant, asked.op) ?? 'it was revoked');
      callSignal.throwIfAborted();
      // Messages of this node may name its paths.
      if (!isKithError(error))
        log.error('a shared knowledge base was not searched', { err: messageOf(error) });
      throw refuse(isKithError(error) ? `${error.code}: ${messageOf(error)}` : 'the search failed');
    } finally {
      calls.delete(ending);
      if (calls.size === 0) underWay.delete(grant.id);
    }
  }

  function stop(id: string): void {
    for (const ending of underWay.get(id) ?? []) ending.abort();
  }

  return {
    async answer({ peer, payload, signal }) {
      try {
        const request = decodeRequest(payload);
        if (request.op !== 'list') return { payload: await ask(peer, request, signal) };
        const store = await parts.store();
        const given = store.givenTo(didOfPeerId(peer), RAG_BOUNDS.grants);
        const holds = given.filter(({ grant }) => grant.issuer === identity.did && clock.now() < grant.until);
        // Who has nothing is answered as somebody whom nobody knows.
        if (holds.length === 0) throw refused();
        return { payload: encodeGrants(holds.map(({ grant }) => grant.bytes)) };
      } catch (error) {
        if (isKithError(error) && PASSED.has(error.code)) throw error;
        if (!isKithError(error)) log.error('a peer was not answered', { peer, err: messageOf(error) });
        throw refused();
      }
    },
    stop,
    [Symbol.dispose]() {
      for (const id of [...underWay.keys()]) stop(id);
      scopes[Symbol.dispose]();
    },
  };
}

const chunkOut = ({ id, path, title, text, position, place }: StoredChunk) => ({
  ...{ id, path, title, text, position, place },
});

const shown = (hits: readonly Hit[], isVisible: (chunk: StoredChunk) => boolean): RagHit[] =>
  hits.filter(({ chunk }) => isVisible(chunk)).map(hitOut);

export function hitOut({
  chunk,
  score,
  words,
  vector,
}: Pick<Hit, 'chunk' | 'score' | 'words' | 'vector'>): RagHit {
  return {
    ...chunkOut(chunk),
    score,
    words: words === null ? null : [words.score, words.rank],
    vector: vector === null ? null : [vector.score, vector.rank],
  };
}

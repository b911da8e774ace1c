/**
 * One question to several knowledge bases, of this node and of peers: all are asked at once, and what has not answered by the
 * deadline is left out and said to be late.
 *
 * @module node/knowledge/share-search
 */
import { aheadText, InputError, isKithError, KithError, messageOf } from '../../base/index.ts';
import { peerIdOfDid } from '../../identity/index.ts';
import {
  decodeAnswer,
  decodeReply,
  encodeRequest,
  fuseSources,
  type Grant,
  type GrantRight,
  RAG_BOUNDS,
  RAG_METHOD,
  type RagReply,
} from '../../knowledge/index.ts';
import type {
  FederatedQuery,
  FederatedView,
  GrantView,
  SharedAnswer,
  SharedQuestion,
  SharesDesk,
  SourceReport,
} from '../../server/index.ts';
import type { AreaParts } from './areas.ts';
import type { SharingParts } from './share.ts';
import { hitOut } from './share-serving.ts';
import type { ShareStore } from './share-store.ts';

export interface FederationParts extends AreaParts {
  readonly store: () => Promise<ShareStore>;
  /** @throws KithError `share_off` */
  readonly need: () => SharingParts;
  readonly stateOf: (grant: Grant) => GrantView['state'];
}

/** `@PEER:NAME`. */
const SHARED = /^@([A-Za-z0-9:]{1,128}):([a-z0-9][a-z0-9._-]{0,63})$/;
/** Characters of the end of a PeerId that may stand for it. */
const LEAST_PEER = 6;
/** Grants of one knowledge base that are tried. */
const MOST_TRIED = 4;

interface Asked {
  readonly source: string;
  readonly peer: string | null;
  ask(signal: AbortSignal): Promise<RagReply>;
}

interface Answered extends SourceReport {
  readonly reply: RagReply | null;
}

export function createFederation(parts: FederationParts): Pick<SharesDesk, 'search' | 'answer'> {
  const { clock, withKb, opened, store, need, stateOf } = parts;

  /** The best first. */
  async function grantsFor(source: string, right: GrantRight): Promise<readonly [Grant, ...Grant[]]> {
    const [, peer = '', name = ''] = SHARED.exec(source) ?? [];
    const fitting = (await store())
      .accepted()
      .map(({ grant }) => grant)
      .filter(({ issuer, name: named, rights }) => {
        const id = peerIdOfDid(issuer);
        const isPeer = id === peer || issuer === peer || (peer.length >= LEAST_PEER && id.endsWith(peer));
        return isPeer && named === name && rights.includes(right);
      });
    const issuers = new Set(fitting.map(({ issuer }) => issuer));
    if (issuers.size > 1)
      throw new InputError(
        'kbs_invalid',
        `'${source.slice(0, 200)}' may be of several peers: name more of the PeerId.`,
        {
          param: 'kbs',
        },
      );
    // One that holds before others, one that shows all before parts, then the one that holds longest.
    const rank = (grant: Grant) => [
      stateOf(grant) === 'holds' ? 0 : 1,
      grant.filter === undefined ? 0 : 1,
      -grant.until,
    ];
    const ranked = fitting.map((grant) => ({ grant, by: rank(grant) }));
    ranked.sort(({ by: a }, { by: b }) => a[0]! - b[0]! || a[1]! - b[1]! || a[2]! - b[2]!);
    const [best, ...others] = ranked.map(({ grant }) => grant);
    if (best !== undefined) return [best, ...others.slice(0, MOST_TRIED - 1)];
    throw new KithError(
      'grant_unknown',
      `No peer shares '${source.slice(0, 200)}' with this node. \`kith rag list --shared\` shows what is shared; \`kith rag share accept\` takes a grant.`,
      { status: 404, param: 'kbs' },
    );
  }

  function here(source: string, { query, k, mode, filter }: FederatedQuery): Asked {
    return {
      ...{ source, peer: null },
      ask: (signal) =>
        withKb(source, async ({ retriever, store: documents }) => {
          const found = await retriever.search(query, { limit: k, by: mode, filter, signal });
          return {
            ...{ hits: found.hits.map(hitOut), by: found.by, cut: false },
            degraded: found.degraded?.code ?? null,
            embedder: documents.embedder?.id ?? null,
          };
        }),
    };
  }

  /** Asks by the best grant, and where the peer does not take that one (any more) by the next. */
  async function send(
    op: GrantRight,
    [best, ...others]: readonly [Grant, ...Grant[]],
    query: Omit<FederatedQuery, 'kbs'>,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    try {
      return await sendBy(op, best, query, signal);
    } catch (error) {
      const [next, ...rest] = others.filter((grant) => stateOf(grant) === 'holds');
      if (!isKithError(error) || error.code !== 'rag_refused') throw error;
      if (next !== undefined) return send(op, [next, ...rest], query, signal);
      // The peer's clock decides; this one may be wrong.
      if (stateOf(best) === 'holds') throw error;
      const { from, until } = best;
      const now = clock.now();
      const why =
        now < from
          ? aheadText(from, now)
          : `which is over by this machine's clock (${new Date(now).toISOString()}). If that is wrong, set it right; else have a new one given`;
      throw new KithError(
        'grant_expired',
        `The peer refuses. The grant holds from ${new Date(from).toISOString()} to ${new Date(until).toISOString()}, ${why}.`,
        { status: 403 },
      );
    }
  }

  /** What the peer says is not read yet. */
  async function sendBy(
    op: GrantRight,
    grant: Grant,
    { query, k, mode, filter, privacy, deadlineMs }: Omit<FederatedQuery, 'kbs'>,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    const { peers, mayLeave } = need();
    const peer = peerIdOfDid(grant.issuer);
    const question = mayLeave(query, privacy, peer);
    const payload = encodeRequest({
      ...{ op, grant: grant.bytes, question, mode, filter: filter ?? null },
      k: Math.min(k, RAG_BOUNDS.hits),
    });
    const reply = await peers.swarm.call(peer, RAG_METHOD, {}, payload, {
      ...{ deadlineMs, maxReplyBytes: RAG_BOUNDS.replyBytes },
      ...(signal === undefined ? {} : { signal }),
    });
    return reply.payload;
  }

  async function there(source: string, query: FederatedQuery): Promise<Asked> {
    const grants = await grantsFor(source, 'search');
    return {
      ...{ source, peer: peerIdOfDid(grants[0].issuer) },
      ask: async (signal) => decodeReply(await send('search', grants, query, signal)),
    };
  }

  async function answer(query: SharedQuestion, signal?: AbortSignal): Promise<SharedAnswer> {
    const began = clock.monotonic();
    const grants = await grantsFor(query.kb, 'answer');
    try {
      const { text, hits } = decodeAnswer(await send('answer', grants, query, signal));
      return { text, sources: hits, peer: peerIdOfDid(grants[0].issuer), ms: clock.monotonic() - began };
    } catch (error) {
      if (!isKithError(error) || error.code !== 'rag_refused') throw error;
      throw new KithError(error.code, REFUSAL, { status: 403 });
    }
  }

  async function search(query: FederatedQuery, outer?: AbortSignal): Promise<FederatedView> {
    const began = clock.monotonic();
    const { kbs, k, deadlineMs, privacy } = query;
    if (new Set(kbs).size < kbs.length)
      throw new InputError('kbs_invalid', 'A knowledge base is named twice.', { param: 'kbs' });
    const { registry } = await opened();
    const asked: Asked[] = [];
    for (const source of kbs) {
      if (source.startsWith('@')) asked.push(await there(source, query));
      else asked.push(here(registry.get(source).name, query));
    }
    if (privacy === 'local' && asked.every(({ peer }) => peer !== null))
      throw new KithError(
        'privacy_unmet',
        'A question whose privacy is local goes to no peer: name a knowledge base of this node, or another privacy.',
        { status: 403, param: 'privacy' },
      );
    const ending = new AbortController();
    const signal = AbortSignal.any([ending.signal, ...(outer === undefined ? [] : [outer])]);
    const late = clock.sleep(deadlineMs, signal).then(
      () => 'late' as const,
      () => 'late' as const,
    );
    const took = () => clock.monotonic() - began;
    const answers = asked.map(async ({ source, peer, ask }): Promise<Answered> => {
      const told = { source, peer, hits: 0, embedder: null, reply: null };
      const asking = ask(signal).catch((error: unknown) => ({ error }));
      const said = await Promise.race([asking, late]);
      if (said === 'late') {
        const trouble = { code: 'swarm_timeout', message: `It did not answer within ${deadlineMs} ms.` };
        return { ...told, state: 'late', trouble, ms: took() };
      }
      if ('error' in said) return { ...told, ...troubleOf(said.error), ms: took() };
      const { hits, embedder, degraded } = said;
      const trouble =
        degraded === null ? null : { code: degraded, message: 'It was searched by words alone.' };
      return { ...told, state: 'answered', hits: hits.length, embedder, trouble, reply: said, ms: took() };
    });
    try {
      const all = await Promise.all(answers);
      outer?.throwIfAborted();
      const hits = fuseSources(
        query.query,
        all.flatMap(({ source, reply }) => (reply === null ? [] : [{ source, hits: reply.hits }])),
        k,
      );
      return { hits, sources: all.map(({ reply: _, ...report }) => report), ms: took() };
    } finally {
      ending.abort();
    }
  }

  return { search, answer };
}

const REFUSAL = 'The peer refuses: the grant was revoked, or does not hold by its clock. Ask its owner.';
const REFUSED: ReadonlySet<string> = new Set([
  'rag_refused',
  'rag_busy',
  'swarm_denied',
  'swarm_rate',
  'privacy_unmet',
  'grant_expired',
]);
const OFFLINE: ReadonlySet<string> = new Set([
  'swarm_unreachable',
  'swarm_reset',
  'swarm_lost',
  'swarm_breaker',
  'swarm_off',
  'swarm_down',
  'share_off',
]);

function troubleOf(error: unknown): Pick<SourceReport, 'state' | 'trouble'> {
  const code = isKithError(error) ? error.code : 'internal';
  const message = isKithError(error) ? messageOf(error) : 'It could not be searched.';
  if (code === 'rag_refused') return { state: 'refused', trouble: { code, message: REFUSAL } };
  const state =
    code === 'swarm_timeout'
      ? 'late'
      : REFUSED.has(code)
        ? 'refused'
        : OFFLINE.has(code)
          ? 'offline'
          : 'failed';
  return { state, trouble: { code, message } };
}

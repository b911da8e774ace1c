/**
 * What the owner shares of the node's knowledge bases, and what peers share with it.
 *
 * @module node/knowledge/share
 */
import { InputError, isKithError, KithError } from '../../base/index.ts';
import { didOf, type Identity, peerIdOfDid, publicKeyOf } from '../../identity/index.ts';
import {
  createScope,
  decodeGrants,
  encodeRequest,
  type Grant,
  grantText,
  RAG_BOUNDS,
  RAG_METHOD,
  readGrant,
  readGrantText,
  signGrant,
} from '../../knowledge/index.ts';
import type { AcceptedGrant, GivenGrant, GrantView, SharesDesk } from '../../server/index.ts';
import type { PeerNetwork } from '../swarm-asking.ts';
import type { AreaParts } from './areas.ts';
import { shareFile } from './share-door.ts';
import type { MayLeave } from './share-privacy.ts';
import { createFederation } from './share-search.ts';
import { createShareServing, type ShareServing } from './share-serving.ts';
import { type AcceptedEntry, type GivenEntry, openShareStore, type ShareStore } from './share-store.ts';

/** What sharing takes beside knowledge bases: only a running node has it. */
export interface SharingParts {
  readonly identity: Identity;
  readonly peers: Pick<PeerNetwork, 'swarm' | 'standing' | 'lending' | 'reputation'>;
  readonly mayLeave: MayLeave;
  /** An Eve did not give a block that she took. */
  readonly onVaultFault?: (kind: string) => void;
}

export interface Sharing extends Disposable {
  readonly desk: SharesDesk;
  readonly answer: ShareServing['answer'];
}

const ID = /^[0-9a-f]{32}$/;

export function createSharing(parts: AreaParts): Sharing {
  const { config, clock, random, log, opened, withKb, sharing } = parts;
  let kept: ShareStore | null = null;
  /** The lock of the knowledge bases keeps other processes out of this file too. */
  async function store(): Promise<ShareStore> {
    await opened();
    kept ??= openShareStore(shareFile(config));
    return kept;
  }
  const now = () => Math.floor(clock.now());

  function need(): SharingParts {
    if (sharing !== undefined) return sharing;
    throw new KithError(
      'share_off',
      'Only a running node shares knowledge bases and asks those of peers. Start it with kith start.',
      { status: 409 },
    );
  }

  const serving =
    sharing === undefined
      ? null
      : createShareServing({
          ...{ identity: sharing.identity, store, clock, random },
          withKb: (name, work) => withKb(name, (kb) => work(kb)),
          log: log.child('shared'),
        });

  function stateOf({ issuer, holder, from, until }: Grant, revoked: number | null): GrantView['state'] {
    const self = sharing?.identity.did;
    // Of a key that this node had before.
    const isOld = self !== undefined && issuer !== self && holder !== self;
    if (revoked !== null || isOld) return 'revoked';
    const at = now();
    return at < from ? 'to_come' : at >= until ? 'expired' : 'holds';
  }

  const viewOf = (grant: Grant, revoked: number | null): GrantView => ({
    ...{ id: grant.id, kb: grant.name, rights: grant.rights, from: grant.from, until: grant.until },
    issuer: peerIdOfDid(grant.issuer),
    holder: peerIdOfDid(grant.holder),
    filter: grant.filter ?? null,
    state: stateOf(grant, revoked),
  });

  const givenView = ({ grant, revoked, ...told }: GivenEntry): GivenGrant => ({
    ...viewOf(grant, revoked),
    ...{ revoked, ...told, text: grantText(grant) },
  });

  const acceptedView = ({ grant, at }: AcceptedEntry): AcceptedGrant => ({
    ...viewOf(grant, null),
    ...{ name: `@${peerIdOfDid(grant.issuer)}:${grant.name}`, at },
  });

  async function take(grant: Grant): Promise<AcceptedGrant> {
    const { identity } = need();
    if (grant.holder !== identity.did)
      throw new InputError(
        'grant_not_yours',
        `This grant is for ${peerIdOfDid(grant.holder)}, and this node is ${identity.peerId}. Have it given to this one.`,
      );
    if (stateOf(grant, null) === 'expired')
      throw new InputError(
        'grant_expired',
        `This grant ended on ${new Date(grant.until).toISOString()}, by the clock of this node. Have a new one given.`,
      );
    const shares = await store();
    shares.accept(grant, now());
    return acceptedView(shares.accepted().find((each) => each.grant.id === grant.id)!);
  }

  const unknown = (id: string) =>
    new KithError(
      'grant_unknown',
      `There is no grant ${id.slice(0, 64)} here. \`kith rag share list\` shows those there are.`,
      {
        status: 404,
        param: 'id',
      },
    );

  const desk: SharesDesk = {
    async give(name, { with: peer, rights, filter, from = now(), forMs }) {
      const { identity } = need();
      const holder = didOf(publicKeyOf(peer));
      const kb = await withKb(name, async ({ store: documents }) => {
        if (filter !== undefined) {
          // It says so now when that is too much to be searched by itself.
          using scope = createScope(documents, filter);
          await scope.follow();
        }
        return documents.id;
      });
      const terms = { holder, kb, name, rights, from, until: from + forMs };
      const grant = signGrant(identity, filter === undefined ? terms : { ...terms, filter }, random);
      const shares = await store();
      shares.give(grant, now());
      return givenView(shares.byId(grant.id)!);
    },
    given: async () => (await store()).given().map(givenView),
    async revoke(id) {
      const shares = await store();
      const was = ID.test(id) ? shares.byId(id) : null;
      if (was === null) throw unknown(id);
      shares.revoke(id, now());
      serving?.stop(id);
      return givenView(shares.byId(id)!);
    },
    accept: async (text) => take(readGrantText(text)),
    async acceptFrom(peer, signal) {
      const { peers } = need();
      const from = publicKeyOf(peer);
      const asking = encodeRequest({ op: 'list' });
      const { payload } = await peers.swarm
        .call(peerIdOfDid(didOf(from)), RAG_METHOD, {}, asking, {
          maxReplyBytes: 2 * RAG_BOUNDS.replyBytes,
          ...(signal === undefined ? {} : { signal }),
        })
        .catch((error: unknown) => {
          if (!isKithError(error) || error.code !== 'rag_refused') throw error;
          throw new KithError('rag_refused', 'That peer shares no knowledge base with this node now.', {
            status: 403,
          });
        });
      const taken: AcceptedGrant[] = [];
      for (const bytes of decodeGrants(payload)) {
        const grant = readGrant(bytes);
        if (grant.issuer === didOf(from)) taken.push(await take(grant));
      }
      return taken;
    },
    accepted: async () => (await store()).accepted().map(acceptedView),
    async forget(id) {
      if (!ID.test(id) || !(await store()).forget(id)) throw unknown(id);
    },
    ...createFederation({ ...parts, store, need, stateOf: (grant) => stateOf(grant, null) }),
  };

  return {
    desk,
    async answer(call) {
      if (serving === null) throw new KithError('share_off', 'This process does not share.', { status: 409 });
      return serving.answer(call);
    },
    [Symbol.dispose]() {
      serving?.[Symbol.dispose]();
      kept?.[Symbol.dispose]();
      kept = null;
    },
  };
}

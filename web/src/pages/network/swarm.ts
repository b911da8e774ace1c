/**
 * The swarm as the page knows it: looked at again when the node says that something changed, and every few seconds
 * while somebody looks, since round trips change without being told.
 *
 * @module web/pages/network/swarm
 */
import { createEffect, on, onCleanup } from 'solid-js';
import { createStore, reconcile } from 'solid-js/store';
import type {
  BanView,
  InboxView,
  LeasesView,
  LeaseView,
  OutboxView,
  PeersView,
  PeerTrustView,
  PeerView,
  SwarmView,
} from '../../../../src/server/swarm/types.ts';
import { ask } from '../../data/node.ts';
import { type Fault, faultIn, NodeError } from '../../data/node-error.ts';
import { node } from '../../data/node-state.ts';
import { asOwner, onLock, unlocked } from '../../data/owner.ts';

export type { BanView, PeerView, SwarmView };
export type PeerLink = SwarmView['links'][number] & { readonly lanes?: number };
export type Message = InboxView['messages'][number];
export type Sent = OutboxView['messages'][number];
export type Lease = LeaseView;
export type PeerTrust = PeerTrustView;

interface Network {
  view: SwarmView | null;
  /** Null before the first look, and where the swarm does not run. */
  peers: readonly PeerView[] | null;
  /** Peers that the list was too short for. */
  more: number;
  /** Why the last look failed; null when it did not. */
  fault: Fault | null;
  bans: readonly BanView[];
  inbox: readonly Message[];
  sent: readonly Sent[];
  leases: readonly Lease[];
  /** Places that peers can hold here. */
  places: number;
}

const [network, set] = createStore<Network>({
  view: null,
  peers: null,
  more: 0,
  fault: null,
  bans: [],
  inbox: [],
  sent: [],
  leases: [],
  places: 0,
});

export { network };

const base = '/kith/v1/swarm';
const againMs = 4_000;
const lookMs = 20_000;

// What the run token opened goes with it.
onLock(() => set({ bans: [], inbox: [], sent: [], leases: [], places: 0 }));

async function get<T>(path: string): Promise<T> {
  return (await (await ask(`${base}${path}`, { signal: AbortSignal.timeout(lookMs) })).json()) as T;
}

/** A request of the owner about the swarm. */
const own = <T>(method: string, path: string, body?: object): Promise<T> =>
  asOwner<T>(method, `${base}${path}`, body);

let looking: Promise<void> | null = null;
let again = false;

/** Looks now; a look that is under way is followed by another. */
export function refresh(): Promise<void> {
  if (looking !== null) again = true;
  looking ??= (async () => {
    do {
      again = false;
      await look();
    } while (again);
  })().finally(() => {
    looking = null;
  });
  return looking;
}

async function look(): Promise<void> {
  try {
    const view = await get<SwarmView>('');
    const running = view.state === 'running';
    const told = running ? await get<PeersView>('/peers') : null;
    const owned = running && unlocked() ? await lookAsOwner() : null;
    // One key for all that is inside: a peer may have two links, so they are told apart by their place.
    set('view', reconcile(view, { key: null, merge: true }));
    set('peers', reconcile(told?.peers ?? null, { key: 'peer' }));
    set({ more: told?.more ?? 0, fault: null });
    if (owned === null || !unlocked()) return;
    set('bans', reconcile(owned.bans, { key: 'peer' }));
    set('inbox', reconcile(owned.inbox));
    set('sent', reconcile(owned.sent));
    set('leases', reconcile(owned.leases, { key: null }));
    set('places', owned.places);
  } catch (error) {
    set('fault', faultIn(error));
  }
}

type Owned = Pick<Network, 'bans' | 'inbox' | 'sent' | 'leases' | 'places'>;

async function lookAsOwner(): Promise<Owned | null> {
  try {
    const [{ bans }, inbox, sent, held] = await Promise.all([
      own<{ bans: BanView[] }>('GET', '/bans'),
      own<InboxView>('GET', '/messages'),
      own<OutboxView>('GET', '/outbox?limit=10'),
      own<LeasesView>('GET', '/leases'),
    ]);
    return {
      bans,
      inbox: inbox.messages,
      sent: sent.messages,
      leases: held.leases,
      places: held.most,
    };
  } catch (error) {
    // The token ended with the node that made it: what everybody may see is shown all the same.
    if (error instanceof NodeError && error.fault.status === 401) return null;
    throw error;
  }
}

/** Follows the swarm for as long as the component that calls it lives. */
export function followSwarm(): void {
  createEffect(
    on(
      () => JSON.stringify([node.link, node.health?.swarm, unlocked()]),
      () => void refresh(),
    ),
  );
  const timer = setInterval(() => {
    if (document.visibilityState === 'visible' && looking === null) void refresh();
  }, againMs);
  onCleanup(() => clearInterval(timer));
}

async function changed<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } finally {
    void refresh();
  }
}

export const connect = (target: string) => changed(own<PeerLink>('POST', '/connect', { target }));
export const disconnect = (peer: string) => changed(own('POST', `/peers/${peer}/disconnect`));
export const ping = (peer: string) => changed(own<{ rttMs: number }>('POST', `/peers/${peer}/ping`, {}));
export const trustOf = (peer: string) => get<PeerTrust>(`/peers/${peer}/trust`);
export const endorse = (peer: string) => changed(own<PeerTrust>('POST', `/peers/${peer}/endorsement`));
export const unendorse = (peer: string) => changed(own<PeerTrust>('DELETE', `/peers/${peer}/endorsement`));
export const ban = (peer: string, forMs: number | null) => changed(own('POST', '/bans', { peer, forMs }));
export const unban = (peer: string) => changed(own('DELETE', `/bans/${peer}`));
export const send = (to: string, text: string) => changed(own<Sent>('POST', '/messages', { to, text }));
export const markRead = (id: string) => changed(own<Message>('POST', `/messages/${id}/read`));
export const remove = (id: string) => changed(own('DELETE', `/messages/${id}`));

/** The link by which a peer is reached: the direct one, where there are two. */
export function linkTo(peer: string): PeerLink | null {
  const links = network.view?.links.filter((link) => link.peer === peer) ?? [];
  return links.find(({ direct }) => direct) ?? links[0] ?? null;
}

/** The end of a PeerId: their beginnings are alike. */
export const shortPeer = (peer: string): string => `…${peer.slice(-8)}`;

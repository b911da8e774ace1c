/**
 * What the swarm thread says goes to the part of the node thread that it concerns.
 *
 * @module swarm/thread/deliver
 */
import type { Lanes } from '../lane/lanes.ts';
import { wayErrors } from '../rpc/errors.ts';
import type { Calling } from './calling.ts';
import type { Exchanges } from './exchanges.ts';
import type { Foreign } from './foreign.ts';
import type { Links } from './links.ts';
import type { Post, ToNode } from './messages.ts';
import type { Serving } from './serving.ts';
import type { Topics } from './topics.ts';
import type { Trust } from './trust.ts';

export interface Receivers {
  readonly exchanges: Exchanges;
  readonly serving: Serving;
  readonly calling: Calling;
  readonly links: Links;
  /** Null where there are none. */
  readonly lanes: Lanes | null;
  readonly topics: Topics;
  readonly foreign: Foreign;
  readonly trust: Trust;
  readonly post: Post;
  addresses(addresses: readonly string[]): void;
  fault(why: string): void;
}

export function deliver(message: ToNode, to: Receivers): void {
  switch (message.k) {
    case 'reply':
    case 'failed':
    case 'done':
      to.exchanges.settle(message);
      return;
    case 'message':
      to.serving.session(message.s)?.onMessage(message, message.cost);
      return;
    case 'request':
      to.serving.onRequest(message);
      return;
    case 'gone':
      to.serving.gone(message.n);
      return;
    case 'session':
      to.serving.onSession(message);
      return;
    case 'opened':
      to.calling.opened(message.s, null);
      return;
    case 'sent':
      to.serving.session(message.s)?.onSent(message.bytes);
      return;
    case 'ended':
      to.serving.session(message.s)?.onEnded();
      return;
    case 'over':
      to.serving.session(message.s)?.onOver(message.error);
      to.serving.forget(message.s);
      to.calling.opened(message.s, message.error ?? wayErrors.reset('the peer ended it'));
      return;
    default:
      deliverEvent(message, to);
  }
}

function deliverEvent(message: ToNode, to: Receivers): void {
  switch (message.k) {
    case 'provider':
      to.exchanges.provider(message.n, message.provider);
      return;
    case 'gossip':
      void to.topics.verdictOn(message).then((verdict) => to.post({ k: 'verdict', n: message.n, verdict }));
      return;
    case 'foreign':
      void to.foreign.answerTo(message).then((data) => to.post({ k: 'foreign', n: message.n, data }));
      return;
    case 'admit': {
      const { n, peer, tier } = message;
      const asked = tier === undefined ? to.trust.admits(peer) : to.trust.has(peer, tier);
      void asked.then((admitted) => to.post({ k: 'admitted', n, admitted }));
      return;
    }
    case 'misbehaved':
      to.links.onMisbehaved(message.peer, message.kind, message.banned);
      return;
    case 'cut':
      to.lanes?.cut(message.peer);
      return;
    case 'peer':
      if (!message.connected) to.lanes?.cut(message.peer);
      to.links.onLink(message.peer, message.connected);
      return;
    case 'fault':
      to.fault(message.message);
      return;
    case 'addresses':
      to.addresses(message.addresses);
      return;
  }
}

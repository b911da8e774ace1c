/**
 * The way to the nodes nearest to an id: those known are asked for nearer ones, three at a time, until the 20 nearest that
 * answer have been asked.
 *
 * @module swarm/hivemind/walk
 */
import { toHex } from '../../base/index.ts';
import { compareDistance } from './ids.ts';
import type { Contact } from './messages.ts';
import { BUCKET } from './table.ts';

const ALPHA = 3;
/** Nodes asked in one search: whoever invents nearer and nearer ones is not followed for long. */
const MAX_ASKED = 96;
const MAX_CANDIDATES = 2048;

export interface Walked {
  /** Those that answered, nearest first, at most 20. */
  readonly nearest: readonly Contact[];
  readonly asked: number;
  readonly answered: number;
}

/**
 * @param ask the neighbours that a node tells; null when it does not answer. Must not throw.
 */
export async function walk(
  target: Uint8Array,
  start: readonly Contact[],
  ask: (contact: Contact, namedBy: string | null) => Promise<readonly Contact[] | null>,
  signal?: AbortSignal,
): Promise<Walked> {
  const known = new Set<string>();
  let waiting: { readonly contact: Contact; readonly namedBy: string | null }[] = [];
  const answered: Contact[] = [];
  const byDistance = (a: Contact, b: Contact) => compareDistance(target, a.node, b.node);
  let asked = 0;

  const add = (contacts: readonly Contact[], namedBy: string | null): void => {
    for (const contact of contacts) {
      const name = `${contact.peer} ${toHex(contact.node)}`;
      if (known.size >= MAX_CANDIDATES || known.has(name)) continue;
      known.add(name);
      waiting.push({ contact, namedBy });
    }
    waiting.sort((a, b) => byDistance(a.contact, b.contact));
  };
  const next = (): (typeof waiting)[number] | undefined => {
    const [first] = waiting;
    if (first === undefined || asked >= MAX_ASKED || signal?.aborted) return undefined;
    const farthest = answered[BUCKET - 1];
    if (farthest !== undefined && byDistance(first.contact, farthest) > 0) {
      waiting = [];
      return undefined;
    }
    return waiting.shift();
  };

  add(start, null);
  const under = new Set<Promise<void>>();
  for (;;) {
    while (under.size < ALPHA) {
      const chosen = next();
      if (chosen === undefined) break;
      asked++;
      const step = ask(chosen.contact, chosen.namedBy).then((told) => {
        under.delete(step);
        if (told === null) return;
        answered.push(chosen.contact);
        answered.sort(byDistance);
        add(told, chosen.contact.peer);
      });
      under.add(step);
    }
    if (under.size === 0) break;
    await Promise.race(under);
  }
  return { nearest: answered.slice(0, BUCKET), asked, answered: answered.length };
}

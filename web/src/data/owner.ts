/**
 * The owner of the node on this page. What only the owner may see and do takes the run token, which is held in memory and
 * nowhere else: a page of another origin cannot make the browser send it along, as it could a cookie.
 *
 * @module web/data/owner
 */
import { createSignal } from 'solid-js';
import { ask } from './node.ts';
import { type Fault, faultIn, NodeError } from './node-error.ts';

const [token, setToken] = createSignal<string | null>(null);
export const unlocked = (): boolean => token() !== null;

/** What the owner's requests carry. */
export const ownerHeaders = (as: string | null = token()): Record<string, string> => ({
  authorization: `Bearer ${as}`,
});

const locks = new Set<() => void>();

/** Calls back when the run token is forgotten: what it opened goes with it. */
export function onLock(listener: () => void): void {
  locks.add(listener);
}

/** Forgets the run token. */
export function lock(): void {
  setToken(null);
  for (const listener of locks) listener();
}

/** A request of the owner. Throws `NodeError`; a token that no longer holds is forgotten. */
export async function askAsOwner(
  path: string,
  init: RequestInit = {},
  as: string | null = token(),
): Promise<Response> {
  try {
    return await ask(path, { ...init, headers: { ...init.headers, ...ownerHeaders(as) } });
  } catch (error) {
    if (error instanceof NodeError) refused(error.fault, as);
    throw error;
  }
}

/** Forgets the token that a request carried when the node no longer takes it. */
export function refused(fault: Fault, as: string | null = token()): void {
  if (fault.status === 401 && as === token()) lock();
}

export async function asOwner<T>(
  method: string,
  path: string,
  body?: object,
  as: string | null = token(),
): Promise<T> {
  const json = body === undefined ? {} : { body: JSON.stringify(body) };
  const headers: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
  return (await (await askAsOwner(path, { method, headers, ...json }, as)).json()) as T;
}

/** Takes the token when the node does. Throws `NodeError` when it is another. */
export async function unlock(given: string): Promise<void> {
  await asOwner('GET', '/kith/v1/status', undefined, given);
  setToken(given);
  setEntryFault(null);
}

const [entryFault, setEntryFault] = createSignal<Fault | null>(null);
const [entering, setEntering] = createSignal(false);

/** Why a one-time link did not open; null when it did, or there was none. */
export { entering, entryFault };

const inLink = /^#enter=([A-Za-z0-9_-]{43})$/;

/** Trades the code of a one-time link (`kith open`) for the run token. The address keeps no trace of it. */
async function enter(): Promise<void> {
  const code = inLink.exec(location.hash)?.[1];
  if (code === undefined) return;
  history.replaceState(history.state, '', location.pathname + location.search);
  setEntering(true);
  try {
    const answer = await ask('/kith/v1/entry', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code }),
    });
    await unlock(((await answer.json()) as { token: string }).token);
  } catch (error) {
    setEntryFault(faultIn(error));
  } finally {
    setEntering(false);
  }
}

/** Takes one-time links on whatever page they open, for as long as the page lives. */
export function followLinks(): void {
  void enter();
  // A link that is opened in a tab that is here already changes the address alone.
  addEventListener('hashchange', () => void enter());
}

/**
 * One-time links to the page: the owner's command line asks for a code, the page trades it for the run token, once, within
 * two minutes, from this machine. So nobody has to copy the token by hand, and the link is worth nothing afterwards.
 *
 * @module server/entry
 */
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { type Clock, KithError } from '../base/index.ts';
import { isHere } from './access/access.ts';
import { guarded } from './control.ts';
import { type Exchange, type Route, sendJson } from './http/exchange.ts';
import { parseBody } from './http/schema.ts';
import type { ServerContext } from './types.ts';

/** ms in which a code has to be used. */
export const ENTRY_MS = 120_000;
/** Codes that wait to be used; with more the oldest goes. */
const MAX_CODES = 16;
const CODE_BYTES = 32;

export interface EntryCodes {
  make(): { readonly code: string; readonly until: number };
  /** True once for each code, in its time. */
  take(code: string): boolean;
}

export function createEntryCodes(clock: Pick<Clock, 'now' | 'monotonic'>): EntryCodes {
  /** Until when, monotonic ms, by the code's digest: looking it up tells nothing of the codes that there are. */
  const codes = new Map<string, number>();
  const digest = (code: string) => createHash('sha256').update(code).digest('base64');
  return {
    make() {
      const oldest = codes.keys().next();
      if (codes.size >= MAX_CODES && oldest.value !== undefined) codes.delete(oldest.value);
      const code = randomBytes(CODE_BYTES).toString('base64url');
      codes.set(digest(code), clock.monotonic() + ENTRY_MS);
      return { code, until: clock.now() + ENTRY_MS };
    },
    take(code) {
      const name = digest(code);
      const until = codes.get(name);
      codes.delete(name);
      return until !== undefined && clock.monotonic() < until;
    },
  };
}

export const entrySchema = z.strictObject({
  code: z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be the code of a link that kith open printed'),
});

export function entryRoutes({ clock, token }: ServerContext): Route[] {
  const codes = createEntryCodes(clock);
  return [
    {
      method: 'POST',
      scope: 'control',
      path: '/kith/v1/entry/codes',
      handler: guarded(token, async ({ response }: Exchange) => sendJson(response, 200, codes.make())),
    },
    {
      method: 'POST',
      scope: 'read',
      path: '/kith/v1/entry',
      async handler(exchange) {
        const { code } = parseBody(entrySchema, await exchange.json());
        if (!isHere(exchange.request.socket) || !codes.take(code))
          throw new KithError(
            'entry_code_invalid',
            'This link was used, is too old, or was opened on another machine. kith open prints a new one.',
            { status: 401 },
          );
        exchange.response.setHeader('cache-control', 'no-store');
        sendJson(exchange.response, 200, { token });
      },
    },
  ];
}

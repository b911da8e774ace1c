/**
 * Fields of the bodies of the vault's routes, each of which says of a wrong value which one it is and what may stand there.
 *
 * @module server/rag/vault-body-parts
 */
import { z } from 'zod';
import { isPeerId } from '../../base/index.ts';

const SHOWN = 60;

/** The value, in short. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN).toWellFormed()}…` : text;
}

/** What is said of a wrong value. */
export const wrong =
  (allowed: string) =>
  ({ input }: { readonly input?: unknown }): string =>
    `${shown(input)} is not allowed; allowed: ${allowed}`;

export function whole(min: number, max: number, what = 'a whole number') {
  const error = wrong(`${what} from ${min} to ${max}`);
  return z.int({ error }).min(min, { error }).max(max, { error });
}

export function words(max: number, what: string) {
  const error = wrong(`${what}, 1 to ${max} characters`);
  return z.string({ error }).min(1, { error }).max(max, { error });
}

export function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, { error: wrong(values.join(', ')) });
}

const PEER = 'a PeerId such as 12D3KooW...';
export const peer = z.string({ error: wrong(PEER) }).refine(isPeerId, { error: wrong(PEER) });

const EVE = `${PEER}, or Name=PeerId to say who runs it`;
export const eve = z
  .string({ error: wrong(EVE) })
  .max(400, { error: wrong(EVE) })
  .refine((text) => isPeerId(text.slice(text.lastIndexOf('=') + 1)) && !text.startsWith('='), {
    error: wrong(EVE),
  });

export const MOST_EVES = 64;

/** @param least 1: somebody has to be named */
export function listOf<Item extends z.ZodType>(item: Item, least: 0 | 1 = 0) {
  const error = wrong(`a list of ${least === 0 ? 'at most' : '1 to'} ${MOST_EVES} peers`);
  return z.array(item, { error }).min(least, { error }).max(MOST_EVES, { error });
}

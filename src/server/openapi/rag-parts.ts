/**
 * What the routes of knowledge bases have in common, in the document.
 *
 * @module server/openapi/rag-parts
 */
import { type Answer, answer, type Operation, pathParameter } from './operation.ts';
import { ref, type Schema } from './schema.ts';

const BASE = '/api/rag/kbs';
export const retried = ['x-should-retry'];
const kb = pathParameter('kb', 'Name of the knowledge base.');

const away: Readonly<Record<string, Answer>> = {
  '404': answer('`kb_unknown`, or `kb_missing`: its file is not there.', ref('OpenAiError'), retried),
  '409': answer('`locked`: another process keeps the knowledge bases.', ref('OpenAiError'), retried),
};
const full = answer('`disk_full`.', ref('OpenAiError'), retried);

/** A route of the owner; `where` is its path behind `/api/rag/kbs`, `good` what its answer is. */
export function operation(
  method: Operation['method'],
  where: string,
  id: string,
  summary: string,
  good: readonly [string, Schema],
  more: Partial<Operation> = {},
): Operation {
  return {
    ...{ method, path: `${BASE}${where}`, id, summary, scope: 'control', error: 'OpenAiError' },
    ...more,
    parameters: [...(where.startsWith('/{kb}') ? [kb] : []), ...(more.parameters ?? [])],
    answers: { ...away, '507': full, ...more.answers, '200': answer(...good) },
  };
}

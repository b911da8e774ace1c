/**
 * The routes of NS-LLM, a small server of one model for text and one for vectors.
 *
 * @module server/nsllm
 */
import type { Route } from '../http/exchange.ts';
import type { ServerContext } from '../types.ts';
import { embedRoute } from './embed.ts';
import { nsLlmError } from './errors.ts';
import { generateRoute } from './generate.ts';

export function nsLlmRoutes(context: ServerContext): Route[] {
  const shared = { method: 'POST', encodeError: nsLlmError } as const;
  return [
    { ...shared, path: '/embed', scope: 'embed', handler: embedRoute(context) },
    { ...shared, path: '/generate', scope: 'generate', handler: generateRoute(context) },
  ];
}

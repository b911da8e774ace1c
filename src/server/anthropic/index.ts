/**
 * The routes of Anthropic's API. `GET /v1/models` is shared with OpenAI's (openai/models.ts).
 *
 * @module server/anthropic
 */
import type { Route } from '../http/exchange.ts';
import type { ServerContext } from '../types.ts';
import { anthropicError, anthropicStatus } from './errors.ts';
import { countTokensRoute, messagesRoute } from './messages.ts';

export function anthropicRoutes(context: ServerContext): Route[] {
  const shared = {
    method: 'POST',
    scope: 'generate',
    encodeError: anthropicError,
    errorStatus: anthropicStatus,
    requestIdHeader: 'request-id',
  } as const;
  return [
    { ...shared, path: '/v1/messages', handler: messagesRoute(context) },
    { ...shared, path: '/v1/messages/count_tokens', handler: countTokensRoute(context) },
  ];
}

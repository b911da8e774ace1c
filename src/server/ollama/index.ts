/**
 * Ollama's API, for clients that know no other. Models are managed with the `kith` command: routes that would do so
 * name the command.
 *
 * @module server/ollama
 */
import { KithError } from '../../base/index.ts';
import type { Handler, Route } from '../http/exchange.ts';
import type { ServerContext } from '../types.ts';
import { chatRoute } from './chat.ts';
import { embeddingsRoute, embedRoute } from './embed.ts';
import { generateRoute } from './generate.ts';
import { psRoute, showRoute, tagsRoute, versionRoute } from './models.ts';
import { ollamaError } from './names.ts';

export function ollamaRoutes(context: ServerContext): Route[] {
  const routes: Omit<Route, 'encodeError'>[] = [
    { method: 'POST', path: '/api/chat', scope: 'generate', handler: chatRoute(context) },
    { method: 'POST', path: '/api/generate', scope: 'generate', handler: generateRoute(context) },
    { method: 'POST', path: '/api/embed', scope: 'embed', handler: embedRoute(context) },
    { method: 'POST', path: '/api/embeddings', scope: 'embed', handler: embeddingsRoute(context) },
    { method: 'POST', path: '/api/show', scope: 'read', handler: showRoute(context) },
    { method: 'GET', path: '/api/tags', scope: 'read', handler: tagsRoute(context) },
    { method: 'GET', path: '/api/ps', scope: 'read', handler: psRoute(context) },
    { method: 'GET', path: '/api/version', scope: 'read', handler: versionRoute(context) },
    { method: 'POST', path: '/api/pull', scope: 'read', handler: elsewhere('kith models pull MODEL') },
    { method: 'POST', path: '/api/create', scope: 'read', handler: elsewhere('kith models import FILE') },
    { method: 'DELETE', path: '/api/delete', scope: 'read', handler: elsewhere('kith models rm MODEL') },
    {
      method: 'POST',
      path: '/api/copy',
      scope: 'read',
      handler: elsewhere('kith models add FILE --id NAME'),
    },
    { method: 'POST', path: '/api/push', scope: 'read', handler: elsewhere(null) },
    { method: 'POST', path: '/api/blobs/:digest', scope: 'read', handler: elsewhere('kith models add FILE') },
  ];
  return routes.map((route) => ({ ...route, encodeError: ollamaError }));
}

/** A route of Ollama's API that the node does not have: 501 with the command that does it. */
function elsewhere(command: string | null): Handler {
  return () => {
    throw new KithError(
      'not_implemented',
      command === null
        ? 'This node publishes no models.'
        : `Models are managed on the node's machine: \`${command}\`.`,
      { status: 501 },
    );
  };
}

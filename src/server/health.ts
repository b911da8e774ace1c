/**
 * `GET /health`: whether the node answers, with honest values (null = unknown).
 *
 * @module server/health
 */
import { type Exchange, sendJson } from './http/exchange.ts';
import type { ServerContext } from './types.ts';

export function healthRoute(context: ServerContext) {
  return async ({ response, signal }: Exchange): Promise<void> => {
    const [status, backends] = await Promise.all([context.control.status(), context.gateway.health(signal)]);
    const local = backends[0];
    sendJson(response, status.state === 'stopping' ? 503 : 200, {
      status: status.state === 'ready' ? 'ok' : status.state,
      message: status.message,
      version: context.version,
      uptime_s: Math.floor(status.uptimeMs / 1000),
      llm: {
        status: local?.status ?? 'unknown',
        latency_ms: local?.latencyMs ?? null,
        models_available: local?.modelsAvailable ?? null,
        models_loaded: local?.modelsLoaded ?? null,
        default_model: status.defaultModel,
      },
      requests: status.requests,
    });
  };
}

/**
 * The choice between the local and the frontier model: what it has learnt, its versions and thresholds, and outcomes
 * that clients tell.
 *
 * @module server/gateway/router
 */
import { z } from 'zod';
import { InputError, KithError } from '../../base/index.ts';
import type { Evaluation, Router } from '../../gateway/index.ts';
import { guarded } from '../control.ts';
import { type Exchange, type Route, sendJson } from '../http/exchange.ts';
import { parseBody } from '../http/schema.ts';
import type { ServerContext } from '../types.ts';
import type { EvaluationView, RefitView, RouterView, ThresholdView } from './types.ts';

const share = z.number().min(0).max(1);
const changes = z
  .strictObject({
    target: share.optional(),
    min: share.optional(),
    max: share.optional(),
    threshold: share.optional(),
  })
  .refine((value) => Object.keys(value).length > 0, 'name at least one of target, min, max and threshold');
const rollback = z.strictObject({ version: z.int().min(1) });

export const feedbackSchema = z
  .strictObject({
    decision: z.string().min(1).max(100),
    /** How good the answer was that was given. */
    good: z.boolean().optional(),
    /** How good the answers of the two sides were, 0 (wrong) to 1 (right); null or absent: not known. */
    local: share.nullish(),
    frontier: share.nullish(),
  })
  .refine(
    ({ good, local, frontier }) => (good === undefined) !== (local == null && frontier == null),
    'say either `good`, or at least one of `local` and `frontier`',
  );

export function routerRoutes(context: ServerContext): Route[] {
  const { token } = context;
  const routerIn = (): Router => {
    const { router } = context.gateway;
    if (router !== null) return router;
    throw new KithError(
      'router_off',
      'This node does not learn which requests the local model answers well enough: gateway.complexity is off, or there is no other backend than its engine.',
      { status: 409 },
    );
  };
  return [
    {
      method: 'GET',
      path: '/kith/v1/router',
      scope: 'monitor',
      handler: ({ response }: Exchange) => sendJson(response, 200, viewOf(context.gateway.router)),
    },
    {
      method: 'GET',
      path: '/kith/v1/router/agents/:agent',
      scope: 'monitor',
      handler: ({ response, params }: Exchange) =>
        sendJson(response, 200, thresholdOf(routerIn(), (params.agent ?? '').toLowerCase())),
    },
    {
      method: 'POST',
      path: '/kith/v1/router/agents/:agent',
      scope: 'control',
      handler: guarded(token, async (exchange: Exchange) => {
        const given = parseBody(changes, await exchange.json());
        const router = routerIn();
        const agent = (exchange.params.agent ?? '').toLowerCase();
        router.agents.set(agent, defined(given));
        sendJson(exchange.response, 200, thresholdOf(router, agent));
      }),
    },
    {
      method: 'POST',
      path: '/kith/v1/router/rollback',
      scope: 'control',
      handler: guarded(token, async (exchange: Exchange) => {
        const { version } = parseBody(rollback, await exchange.json());
        const { exact } = await routerIn().rollBack(version, exchange.signal);
        sendJson(exchange.response, 200, { version, exact });
      }),
    },
    {
      method: 'POST',
      path: '/kith/v1/router/refit',
      scope: 'control',
      handler: guarded(token, async ({ response, signal }: Exchange) => {
        const { verdict, trained, held, version } = await routerIn().refit(signal);
        const view: RefitView = { verdict, trained, held, version };
        sendJson(response, 200, view);
      }),
    },
    {
      method: 'POST',
      path: '/kith/v1/feedback',
      scope: 'generate',
      async handler(exchange: Exchange) {
        const {
          decision,
          good,
          local = null,
          frontier = null,
        } = parseBody(feedbackSchema, await exchange.json());
        const router = routerIn();
        const side = router.sideOf(decision);
        const value = good === undefined ? null : good ? 1 : 0;
        const outcome =
          value === null
            ? { local, frontier }
            : { local: side === 'local' ? value : null, frontier: side === 'frontier' ? value : null };
        if (side === null || !router.learn(decision, outcome))
          throw new InputError(
            'decision_not_found',
            'No decision of that name is waiting for its outcome: it was told already, or many others came after it.',
            { status: 404, param: 'decision' },
          );
        sendJson(exchange.response, 200, { learned: true });
      },
    },
  ];
}

function viewOf(router: Router | null): RouterView {
  if (router === null) return { enabled: false, status: null, agents: [], versions: [] };
  const status = router.status();
  return {
    enabled: true,
    status,
    agents: router.agents.list(),
    versions: router.versions().map(({ number, at, through, evaluation }) => ({
      number,
      at,
      through,
      inUse: number === status.version,
      evaluation: evaluationOf(evaluation),
    })),
  };
}

function thresholdOf(router: Router, agent: string): ThresholdView {
  return { agent, ...router.agents.get(agent), history: router.agents.history(agent) };
}

/** JSON has no NaN: what could not be compared is unknown. */
function evaluationOf({ prompts, apgr, cpt50, cpt80 }: Evaluation): EvaluationView {
  const known = (value: number) => (Number.isFinite(value) ? value : null);
  return { prompts, apgr: known(apgr), cpt50: known(cpt50), cpt80: known(cpt80) };
}

function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

/** `kith backends list|reset|explain`: the backends of the running node. @module cli/commands/backends */
import { formatDuration, formatPercent } from '../../base/index.ts';
import type { RouteExplanation } from '../../gateway/index.ts';
import type { BackendsView, BackendView } from '../../server/index.ts';
import { runningNode } from '../client.ts';
import { exitCode } from '../failure.ts';
import { paint, plain, print, printJson, table } from '../output.ts';
import type { Handler } from '../program.ts';
import { settingsOf } from '../settings.ts';
import { headersFor } from '../wishes.ts';

const places = { this_machine: 'this machine', owned: 'owned', peer: 'peer', provider: 'provider' } as const;
const links = { encrypted: 'encrypted', owned_network: 'own net', open: 'open' } as const;

export const list: Handler = async ({ options }) => {
  const node = await runningNode(options);
  const { backends } = await node.call<BackendsView>('GET', '/kith/v1/backends');
  if (options.json) {
    printJson(backends);
    return;
  }
  const head = [
    'BACKEND',
    'STATE',
    'WHERE',
    'LINK',
    'BREAKER',
    'FIRST TOKEN',
    'IN FLIGHT',
    'ERRORS',
    'MODELS',
    'DEFAULT',
  ];
  const rows = backends.map((backend) => [
    backend.name,
    stateText(backend),
    places[backend.where],
    backend.link === null ? '-' : links[backend.link],
    breakerText(backend.breaker),
    backend.latencyMs === null ? '-' : formatDuration(backend.latencyMs),
    String(backend.inFlight),
    formatPercent(backend.errorRate),
    String(backend.models),
    plain(backend.defaults.chat ?? backend.defaults.embedding ?? '-'),
  ]);
  print(table([head, ...rows], [5, 6, 7, 8]));
};

function stateText({ state, coolMs }: BackendView): string {
  return state === 'cooling' ? `cooling ${formatDuration(coolMs)}` : state.replace('_', ' ');
}

function breakerText({ state, waitMs }: BackendView['breaker']): string {
  return state === 'open' ? `open ${formatDuration(waitMs)}` : state.replace('_', ' ');
}

export const reset: Handler = async ({ args, options }) => {
  const name = String(args[0]);
  const node = await runningNode(options);
  const done = await node.call('POST', `/kith/v1/backends/${encodeURIComponent(name)}/reset`);
  if (options.json) printJson(done);
  else print(`${name} is asked again.`);
};

/** Stands for whatever the request would offer: only that it offers something is looked at. */
const anyTool = { type: 'function', function: { name: 'any_tool', parameters: { type: 'object' } } };
const anySchema = {
  type: 'json_schema',
  json_schema: { name: 'any', schema: { type: 'object', properties: {}, additionalProperties: false } },
};

export const explain: Handler = async ({ args, options }) => {
  const prompt = (args[0] as readonly string[] | undefined)?.join(' ') ?? '';
  const body = {
    messages: [{ role: 'user', content: prompt === '' ? 'Hello.' : prompt }],
    ...(options.model === undefined ? {} : { model: options.model }),
    ...(options.tools ? { tools: [anyTool] } : {}),
    ...(options.jsonSchema ? { response_format: anySchema } : {}),
  };
  const node = await runningNode(options);
  const headers: Record<string, string> = { ...headersFor(settingsOf(options)) };
  for (const name of ['privacy', 'route', 'agent'] as const)
    if (options[name] !== undefined) headers[`x-kith-${name}`] = String(options[name]);
  const told = await node.call<RouteExplanation>('POST', '/kith/v1/route/explain', { body, headers });
  if (options.json) {
    printJson(told);
    return told.chosen === null ? exitCode.degraded : exitCode.ok;
  }
  const { chosen, candidates, complexity } = told;
  const verb = complexity !== null && complexity.side === null ? 'would most likely answer' : 'would answer';
  print(
    chosen === null
      ? paint('yellow', 'Nobody would answer.')
      : `${plain(chosen.backend)} / ${plain(chosen.model)} ${verb}.`,
  );
  if (complexity !== null) print(`Local or frontier: ${complexity.why}.`);
  const parts = ['order', 'cost', 'latency', 'load', 'errors'] as const;
  const rows = candidates.map((one) => [
    one.rank === null ? '-' : String(one.rank + 1),
    plain(one.backend),
    plain(one.model),
    one.score === null ? '-' : one.score.toFixed(3),
    ...parts.map((part) => (one.parts === null ? '-' : String(Math.round(one.parts[part] * 100) / 100))),
    plain(one.why),
  ]);
  const head = ['RANK', 'BACKEND', 'MODEL', 'SCORE', ...parts.map((part) => part.toUpperCase()), 'WHY'];
  print(table([head, ...rows]));
  return chosen === null ? exitCode.degraded : exitCode.ok;
};

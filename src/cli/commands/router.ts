/** `kith router status|versions|rollback|refit|threshold`. @module cli/commands/router */
import { formatCount, formatPercent, formatPlural } from '../../base/index.ts';
import type { RefitView, RouterView, ThresholdView } from '../../server/index.ts';
import { type NodeClient, runningNode } from '../client.ts';
import { UsageError } from '../failure.ts';
import { plain, print, printJson, table } from '../output.ts';
import type { Handler } from '../program.ts';

const look = (node: NodeClient) => node.call<RouterView>('GET', '/kith/v1/router');
const decimals = (value: number | null): string => (value === null ? 'unknown' : value.toFixed(3));
const timeText = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
const off =
  'This node does not learn which model a request is worth: gateway.complexity is off, or there is no backend beside its engine.';

export const status: Handler = async ({ options }) => {
  const view = await look(await runningNode(options));
  if (options.json) {
    printJson(view);
    return;
  }
  if (view.status === null) {
    print(off);
    return;
  }
  const { version, labels, neighbours, pending, embedder } = view.status;
  const rows = [
    ['version', version === null ? 'none yet: choices are by lot' : String(version)],
    ['learnt', `${formatPlural(labels, 'outcome')}, ${formatPlural(neighbours, 'neighbour')}`],
    ['waiting', `${formatPlural(pending, 'decision')} whose outcome could still be told`],
    ['embedder', embedder ?? 'none: words and shape alone'],
  ];
  print(table(rows.map(([name, value]) => [`  ${name}`, plain(value!)])));
  if (view.agents.length === 0) return;
  const head = ['AGENT', 'TARGET', 'THRESHOLD', 'BOUNDS', 'DECIDED', 'TO FRONTIER'];
  const agents = view.agents.map(({ agent, target, threshold, min, max, decided, frontier }) => [
    plain(agent),
    formatPercent(target),
    threshold.toFixed(3),
    `${min} to ${max}`,
    formatCount(decided),
    decided === 0 ? '-' : `${formatCount(frontier)} (${formatPercent(frontier / decided)})`,
  ]);
  print(table([head, ...agents], [1, 2, 4]));
};

export const versions: Handler = async ({ options }) => {
  const view = await look(await runningNode(options));
  if (options.json) {
    printJson(view.versions);
    return;
  }
  if (!view.enabled) print(off);
  else if (view.versions.length === 0)
    print('No version yet: nothing has proved better than a choice by lot on outcomes that were kept aside.');
  else {
    const head = ['VERSION', 'MADE', 'LABELS', 'JUDGED BY', 'APGR', 'CPT50', 'CPT80', ''];
    const rows = view.versions.map(({ number, at, through, evaluation, inUse }) => [
      String(number),
      timeText(at),
      formatCount(through),
      formatCount(evaluation.prompts),
      decimals(evaluation.apgr),
      decimals(evaluation.cpt50),
      decimals(evaluation.cpt80),
      inUse ? 'in use' : '',
    ]);
    print(table([head, ...rows], [0, 2, 3, 4, 5, 6]));
  }
};

export const rollback: Handler = async ({ args, options }) => {
  const text = String(args[0]);
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new UsageError(
      `'${text}' is no version; the number stands in the first column of \`kith router versions\`.`,
    );
  const node = await runningNode(options);
  const body = { version: Number(text) };
  const done = await node.call<{ exact: boolean }>('POST', '/kith/v1/router/rollback', { body });
  if (options.json) printJson(done);
  else
    print(
      `Version ${text} is in use.${done.exact ? '' : ' Some of what it compared prompts with is gone, so that it may choose a little differently.'}`,
    );
};

const verdicts: Readonly<Record<RefitView['verdict'], string>> = {
  promoted: 'It proved better and is in use.',
  too_few_labels: 'There are too few outcomes to judge by. Nothing changed.',
  no_gap: 'The frontier model was not better on the outcomes that were kept aside. Nothing changed.',
  zero_not_beaten: 'It did not prove better than a choice by lot. Nothing changed.',
  not_better: 'It did not prove better than what is in use. Nothing changed.',
};

export const refit: Handler = async ({ options }) => {
  const node = await runningNode(options);
  const done = await node.call<RefitView>('POST', '/kith/v1/router/refit');
  if (options.json) printJson(done);
  else
    print(
      `Learnt from ${formatPlural(done.trained, 'outcome')}, judged by ${formatCount(done.held)}. ${verdicts[done.verdict]}`,
    );
};

export const threshold: Handler = async ({ options }) => {
  const agent = String(options.agent);
  const node = await runningNode(options);
  const path = `/kith/v1/router/agents/${encodeURIComponent(agent)}`;
  const names = ['target', 'min', 'max', 'threshold'] as const;
  const given = names.filter((name) => options[name] !== undefined);
  const body = Object.fromEntries(given.map((name) => [name, options[name]]));
  const view =
    given.length === 0
      ? await node.call<ThresholdView>('GET', path)
      : await node.call<ThresholdView>('POST', path, { body });
  if (options.json) {
    printJson(view);
    return;
  }
  const { target, min, max, decided, frontier } = view;
  print(
    `${plain(agent)}: above ${view.threshold.toFixed(3)} to the frontier model (target ${formatPercent(target)}, bounds ${min} to ${max}); ${formatCount(frontier)} of ${formatPlural(decided, 'request')} went there.`,
  );
  for (const step of view.history.slice(-10))
    print(
      `  ${timeText(step.at)}  ${step.threshold.toFixed(3)}  target ${formatPercent(step.target)}  ${step.reason === 'set' ? 'set by hand' : 'followed the requests'}`,
    );
};

/** `kith p2p hivemind ...`: the Hivemind DHT as the running node sees it. @module cli/commands/hivemind */
import { formatBytes, formatCount, formatDuration, formatPlural, systemClock } from '../../base/index.ts';
import type {
  HivemindAnnounced,
  HivemindClaimView,
  HivemindFindView,
  HivemindView,
} from '../../server/index.ts';
import { runningNode } from '../client.ts';
import { exitCode } from '../failure.ts';
import { asTyped, paint, plain, print, printJson, say, table } from '../output.ts';
import type { Handler } from '../program.ts';

const API = '/kith/v1/swarm/hivemind';

export const info: Handler = async ({ options }) => {
  const view = await (await runningNode(options)).call<HivemindView>('GET', API);
  if (options.json) {
    printJson(view);
    return;
  }
  if (!view.on) {
    print('This node knows no Hivemind DHT.');
    print(
      asTyped('To look one up: kith config set swarm.hivemindBootstrap ADDRESS, then start the node again.'),
    );
    return;
  }
  const { kept, announcing, clockOffsetMs } = view;
  const rows = [
    ['node', view.node!],
    ...view.bootstrap.map((address, index) => [index === 0 ? 'bootstrap' : '', plain(address)]),
    ['answered', formatPlural(view.contacts.length, 'node')],
    [
      'keeps',
      kept === null
        ? 'nothing for others: it only asks'
        : `${formatPlural(kept.keys, 'key')} for others, ${formatBytes(kept.bytes)}`,
    ],
    ['tells', announcing === null ? 'nothing of itself' : told(announcing)],
  ];
  if (clockOffsetMs !== null && Math.abs(clockOffsetMs) > 3000)
    rows.push([
      'clock',
      paint('yellow', `${formatDuration(Math.abs(clockOffsetMs))} off: nodes there refuse this one over 3 s`),
    ]);
  print(table(rows.map(([name, value]) => [`  ${name}`, value!])));
};

function told({ key, models, expiresAt, message }: HivemindAnnounced): string {
  const what = `${models.join(', ') || 'no model'} under ${key}`;
  if (message !== null) return `${what}: ${plain(message)}`;
  return `${what}, for ${formatDuration(Math.max(0, (expiresAt ?? 0) - systemClock.now()))} more`;
}

export const find: Handler = async ({ args, options }) => {
  const query = new URLSearchParams({ key: String(args[0]), limit: String(options.limit) });
  if (options.subkey !== undefined) query.set('subkey', String(options.subkey));
  const view = await (await runningNode(options)).call<HivemindFindView>('GET', `${API}/find?${query}`);
  const { claim, entries, more, asked, answered } = view;
  const code = claim === null && entries.length === 0 ? exitCode.failure : exitCode.ok;
  if (options.json) {
    printJson(view);
    return code;
  }
  if (code === exitCode.failure) {
    print(`Nobody has it. ${formatCount(answered)} of ${formatPlural(asked, 'node')} answered.`);
    return code;
  }
  if (claim !== null) print(shown(claim));
  for (const entry of entries) print(`${plain(textOf(entry.subkey))}\n  ${shown(entry)}`);
  if (more > 0) print(`and ${formatCount(more)} more: --limit shows them`);
  say(
    `Claims of strangers, which anybody may have written. ${formatCount(answered)} of ${formatPlural(asked, 'node')} answered.`,
  );
  return code;
};

function shown({ value, raw, bytes, expiresAt }: HivemindClaimView): string {
  const what = raw === null ? textOf(value) : `${raw}... (no value that can be shown, ${formatBytes(bytes)})`;
  return `${plain(what)}  (expires in ${formatDuration(Math.max(0, expiresAt - systemClock.now()))})`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export const announce: Handler = async ({ options }) => {
  const view = await (await runningNode(options)).call<HivemindAnnounced>('POST', `${API}/announce`);
  const code = view.message === null ? exitCode.ok : exitCode.degraded;
  if (options.json) printJson(view);
  else {
    print(told(view));
    if (view.message === null) print(`${formatPlural(view.stored, 'node')} took it.`);
  }
  return code;
};

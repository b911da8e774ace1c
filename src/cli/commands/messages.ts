/** `kith p2p send|inbox|outbox`: messages between owners. @module cli/commands/messages */
import { formatCount, formatPlural } from '../../base/index.ts';
import type { InboxView, MessageView, OutboxView, SentView } from '../../server/index.ts';
import { type NodeClient, runningNode } from '../client.ts';
import { exitCode, UsageError } from '../failure.ts';
import { onInterrupt } from '../interrupt.ts';
import { paint, plain, print, printJson, say, table } from '../output.ts';
import type { Handler } from '../program.ts';
import { readStdin, stdinEnds } from '../stdin.ts';

const API = '/kith/v1/swarm';

export const send: Handler = async ({ args, options }) => {
  const to = String(args[0]);
  let text = (args[1] as readonly string[] | undefined)?.join(' ') ?? '';
  if (text === '' && stdinEnds()) text = (await readStdin()).trimEnd();
  if (text === '')
    throw new UsageError('There is nothing to send: write the text after the peer, or pipe it in.');
  const node = await runningNode(options);
  const sent = await node.call<SentView>('POST', `${API}/messages`, { body: { to, text } });
  if (options.json) printJson(sent);
  else if (sent.state === 'delivered') print(`Delivered to ${sent.to} as ${sent.id}.`);
  else if (sent.state === 'queued') {
    print(`Queued for ${sent.to} as ${sent.id}: it is tried again until ${timeOf(sent.expiresAt)} (UTC).`);
    say(`The first attempt failed: ${plain(sent.code ?? 'unknown')}`);
  } else say(`${paint('red', sent.state, process.stderr)}: ${plain(sent.code ?? 'unknown')}`);
  return sent.state === 'delivered'
    ? exitCode.ok
    : sent.state === 'queued'
      ? exitCode.degraded
      : exitCode.failure;
};

function timeOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
}

export const outbox: Handler = async ({ options }) => {
  const node = await runningNode(options);
  const box = await node.call<OutboxView>('GET', `${API}/outbox?limit=${options.limit}`);
  if (options.json) {
    printJson(box);
    return;
  }
  if (box.messages.length === 0) {
    print('Nothing was sent.');
    return;
  }
  const rows = box.messages.map(({ id, to, state, code, sentAt }) => [
    id,
    timeOf(sentAt),
    to,
    state,
    plain(code ?? ''),
  ]);
  print(table([['ID', 'SENT (UTC)', 'TO', 'STATE', ''], ...rows]));
};

export const inbox: Handler = async ({ args, options }) => {
  const node = await runningNode(options);
  if (args[0] !== undefined) return oneMessage(node, String(args[0]), options);
  if (options.delete)
    throw new UsageError('--delete needs the id of a message; `kith p2p inbox` lists them.');
  if (options.follow) return follow(node, options);
  const query = new URLSearchParams({
    unread: String(options.unread === true),
    limit: String(options.limit),
  });
  const box = await node.call<InboxView>('GET', `${API}/messages?${query}`);
  if (options.json) {
    printJson(box);
    return;
  }
  if (box.messages.length === 0) {
    print(options.unread ? 'No unread messages.' : 'No messages.');
    return;
  }
  const rows = box.messages.map(({ id, read, receivedAt, from, text }) => [
    read ? ' ' : '*',
    id,
    timeOf(receivedAt),
    from,
    plain(text.split('\n', 1)[0]!.slice(0, 60)),
  ]);
  print(table([['', 'ID', 'CAME (UTC)', 'FROM', 'TEXT'], ...rows]));
  say(`${formatPlural(box.total, 'message')}, ${formatCount(box.unread)} unread.`);
  return;
};

/** Those that were not read, and then each as it comes. Reading them here marks none as read. */
async function follow(node: NodeClient, options: Readonly<Record<string, unknown>>): Promise<undefined> {
  using interrupt = onInterrupt();
  const shown = new Set<string>();
  const show = async (): Promise<void> => {
    const { messages } = await node.call<InboxView>('GET', `${API}/messages?unread=true&limit=1000`);
    for (const message of [...messages].reverse()) {
      if (shown.has(message.id)) continue;
      shown.add(message.id);
      if (options.json) print(JSON.stringify(message));
      else
        print(
          `${timeOf(message.receivedAt)}  ${message.from}  ${message.id}\n${message.text.split('\n').map(plain).join('\n')}\n`,
        );
    }
    // What was read or removed meanwhile does not come again.
    for (const id of shown) if (!messages.some((one) => one.id === id)) shown.delete(id);
  };
  // Listening first: nothing falls between the list and the events.
  const events = node.events('/kith/v1/events', interrupt.signal)[Symbol.asyncIterator]();
  let next = events.next();
  await show();
  for (let event = await next; event.done !== true; event = await next) {
    next = events.next();
    if (isNews(event.value)) await show();
  }
  return;
}

/** The stream tells of the node's state too. */
const isNews = (event: unknown): boolean =>
  typeof event === 'object' && event !== null && 'from' in event && 'id' in event;

async function oneMessage(
  node: NodeClient,
  id: string,
  options: Readonly<Record<string, unknown>>,
): Promise<undefined> {
  const path = `${API}/messages/${encodeURIComponent(id)}`;
  if (options.delete) {
    const done = await node.call('DELETE', path);
    if (options.json) printJson(done);
    else print(`Removed ${id}.`);
    return;
  }
  const message = await node.call<MessageView>('POST', `${path}/read`);
  if (options.json) {
    printJson(message);
    return;
  }
  print(`from  ${message.from}`);
  print(
    `sent  ${new Date(message.sentAt).toISOString()}, came ${new Date(message.receivedAt).toISOString()}`,
  );
  print();
  print(message.text.split('\n').map(plain).join('\n'));
}

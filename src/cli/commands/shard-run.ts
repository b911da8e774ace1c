/** `kith shard run "prompt"`: one answer of a model whose blocks peers compute. @module cli/commands/shard-run */
import { join } from 'node:path';
import { z } from 'zod';
import {
  formatBytes,
  formatCount,
  isKithError,
  readFileBounded,
  systemClock,
  writeFileAtomic,
} from '../../base/index.ts';
import type { Progress } from '../../models/index.ts';
import { type NodeClient, runningNode } from '../client.ts';
import { UsageError } from '../failure.ts';
import { onInterrupt } from '../interrupt.ts';
import { paint, plain, print, printJson, say, table } from '../output.ts';
import type { Handler } from '../program.ts';
import { createProgress } from '../progress.ts';
import { settingsOf } from '../settings.ts';
import { headersFor } from '../wishes.ts';
import { promptOf } from './run.ts';
import { milliseconds, short } from './shard-paths.ts';
import { weightsThrough } from './shard-weights.ts';

const MAX_SESSION_BYTES = 16 * 1024 * 1024;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const sessionSchema = z.object({
  schema: z.literal(1),
  model: z.string(),
  messages: z
    .array(z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() }))
    .max(100_000),
});
type Session = z.infer<typeof sessionSchema>;

interface PathBody {
  readonly circuit: string;
  readonly blocks: number;
  readonly span: { readonly from: number; readonly to: number };
  readonly shards: readonly { readonly peer: string; readonly from: number; readonly to: number }[];
  readonly lost: readonly { readonly peer: string; readonly reason: string }[];
  readonly joined: readonly { readonly peer: string }[];
  readonly paused_ms: number;
  readonly twice?: {
    readonly by: readonly { readonly peer: string }[];
    readonly compared: number;
    readonly alone: number;
    readonly unsettled: number;
  };
  readonly steps: number;
  readonly step_ms: number | null;
  readonly bytes: number;
  readonly type: string;
}

interface Chunk {
  readonly model: string;
  readonly choices: readonly {
    readonly delta: { readonly content?: string };
    readonly finish_reason: string | null;
  }[];
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number } | null;
  readonly kith?: {
    readonly backend: string;
    readonly prefill_ms: number | null;
    readonly decode_ms: number | null;
    readonly drafted_tokens?: number;
    readonly accepted_tokens?: number;
    readonly notes: readonly string[];
    readonly path?: PathBody;
  };
}

export const run: Handler = async ({ args, options }) => {
  const resolved = settingsOf(options);
  const { local, circuit, session: name } = options;
  if (local && circuit !== undefined)
    throw new UsageError(
      '--local computes on this machine alone, and --circuit over peers: name one of them.',
    );
  if (name !== undefined && !NAME.test(String(name)))
    throw new UsageError('--session: 1 to 64 of A-Z, a-z, 0-9, ".", "_" and "-".');
  const prompt = await promptOf((args[0] as string[] | undefined) ?? [], 'kith shard run');
  const node = await runningNode(options);
  const file =
    name === undefined ? null : join(resolved.config.home, 'shards', 'talks', `${String(name)}.json`);
  const kept = file === null ? null : await sessionOf(file);
  const model = (options.model as string | undefined) ?? kept?.model ?? resolved.config.models.default;
  const messages: Session['messages'] = [...(kept?.messages ?? [])];
  if (typeof options.system === 'string' && messages[0]?.role !== 'system')
    messages.unshift({ role: 'system', content: options.system });
  messages.push({ role: 'user', content: prompt });

  using interrupt = onInterrupt();
  const began = systemClock.monotonic();
  let firstMs: number | null = null;
  let text = '';
  let finish: string | null = null;
  let usage: Chunk['usage'] = null;
  let receipt: Chunk['kith'] | null = null;
  const body = {
    model: local ? model : `${model}@${circuit ?? 'peers'}`,
    messages,
    stream: true,
    stream_options: { include_usage: true },
    max_tokens: options.maxTokens,
    temperature: options.temperature,
    seed: options.seed,
    kith: { receipt: true },
  };
  const headers = {
    ...headersFor(resolved),
    ...(local ? { 'x-kith-route': 'local' } : {}),
    ...(name === undefined ? {} : { 'x-kith-conversation': `shard-run:${String(name)}` }),
  };
  const ask = () => node.stream('/v1/chat/completions', body, interrupt.signal, headers);
  const chunks = local ? ask() : withEnds(ask, node, model, interrupt.signal);
  for await (const each of chunks) {
    const chunk = each as Chunk;
    const choice = chunk.choices[0];
    if (choice?.delta.content) {
      firstMs ??= systemClock.monotonic() - began;
      // Templates often leave a space before the first word.
      const piece = text === '' ? choice.delta.content.trimStart() : choice.delta.content;
      text += piece;
      if (!options.json) process.stdout.write(piece);
    }
    finish = choice?.finish_reason ?? finish;
    usage = chunk.usage ?? usage;
    receipt = chunk.kith ?? receipt;
  }
  const totalMs = systemClock.monotonic() - began;
  if (file !== null) {
    const session: Session = {
      schema: 1,
      model,
      messages: [...messages, { role: 'assistant', content: text }],
    };
    await writeFileAtomic(file, `${JSON.stringify(session)}\n`, { mode: 0o600 });
  }
  const figures = {
    first_token_ms: firstMs,
    total_ms: totalMs,
    prompt_tokens: usage?.prompt_tokens ?? null,
    completion_tokens: usage?.completion_tokens ?? null,
    tokens_per_second: rateOf(usage?.completion_tokens ?? null, receipt?.decode_ms ?? null),
  };
  if (options.json) {
    printJson({ model, text, finish_reason: finish, figures, receipt });
    return;
  }
  if (!text.endsWith('\n')) print();
  if (finish === 'length') say('(cut off: the limit of tokens or time was reached)');
  for (const { peer, reason } of receipt?.path?.lost ?? [])
    say(`${paint('yellow', 'lost', process.stderr)} ${short(peer)} in the middle: ${plain(reason)}`);
  if (options.stats) say(statsText(figures, receipt ?? null));
};

/** The answer of `ask`; where the model's ends are not here yet they are fetched, and it is asked again. */
async function* withEnds(
  ask: () => AsyncIterable<unknown>,
  node: NodeClient,
  model: string,
  signal: AbortSignal,
): AsyncGenerator<unknown> {
  try {
    yield* ask();
    return;
  } catch (error) {
    if (!isKithError(error) || error.code !== 'model_not_installed') throw error;
    const view = createProgress();
    try {
      const ends = { from: 0, to: 0, embedding: true, head: true };
      const onProgress = (progress: Progress) => view.update(`the ends of ${model}`, progress);
      const fetched = await weightsThrough(node, model, ends, { signal, onProgress });
      // They were here already: something else is missing, which the error names.
      if (fetched === null || fetched.fetchedBytes === 0) throw error;
      view.clear();
      say(
        `Fetched ${formatBytes(fetched.fetchedBytes)}: the embedding and the head of ${plain(model)}, which this machine computes itself.`,
      );
    } finally {
      view.clear();
    }
  }
  yield* ask();
}

/** Tokens a second after the first one. */
function rateOf(tokens: number | null, decodeMs: number | null): number | null {
  if (tokens === null || decodeMs === null || tokens < 2 || decodeMs <= 0) return null;
  return ((tokens - 1) * 1000) / decodeMs;
}

function statsText(
  figures: {
    readonly first_token_ms: number | null;
    readonly prompt_tokens: number | null;
    readonly completion_tokens: number | null;
    readonly tokens_per_second: number | null;
  },
  receipt: Chunk['kith'] | null,
): string {
  const { first_token_ms: first, tokens_per_second: rate } = figures;
  const rows = [
    ['first token', first === null ? 'unknown' : milliseconds(first)],
    ['rate', rate === null ? 'unknown' : `${rate.toFixed(1)} tokens/s`],
    [
      'tokens',
      `${formatCount(figures.prompt_tokens ?? 0)} of the prompt, ${formatCount(figures.completion_tokens ?? 0)} written`,
    ],
    ['answered by', receipt?.backend ?? 'unknown'],
  ];
  if (receipt?.drafted_tokens !== undefined)
    rows.push([
      'guessed',
      `${formatCount(receipt.drafted_tokens)} tokens, of which ${formatCount(receipt.accepted_tokens ?? 0)} held`,
    ]);
  const path = receipt?.path;
  if (path === undefined) rows.push(['path', 'none: one machine computed all blocks']);
  else {
    const { span, blocks, shards } = path;
    const own = [
      'embedding, head and sampling',
      ...(span.from > 0 ? [`blocks 0-${span.from - 1}`] : []),
      ...(span.to < blocks ? [`blocks ${span.to}-${blocks - 1}`] : []),
    ];
    rows.push(
      ['circuit', path.circuit],
      ['this node', own.join(', ')],
      ...shards.map(({ peer, from, to }) => [`blocks ${from}-${to - 1}`, peer]),
      [
        'steps',
        `${formatCount(path.steps)}, ${path.step_ms === null ? 'unknown' : milliseconds(path.step_ms)} each over ${shards.length === 1 ? '1 hop' : `${shards.length} hops`}`,
      ],
      ['hidden states', `${formatBytes(path.bytes)}, sent as ${path.type}`],
    );
    if (path.twice !== undefined) rows.push(['computed twice', twiceText(path.twice)]);
    if (path.lost.length > 0)
      rows.push([
        'replaced',
        `${path.joined.map(({ peer }) => short(peer)).join(', ')}, a pause of ${milliseconds(path.paused_ms)}`,
      ]);
  }
  for (const note of receipt?.notes ?? []) rows.push(['note', plain(note)]);
  return table(rows.map(([name, value]) => [`  ${name!}`, value!]));
}

function twiceText({ by, compared, alone, unsettled }: NonNullable<PathBody['twice']>): string {
  const who = by.length === 0 ? 'no second path now' : `by ${by.map(({ peer }) => short(peer)).join(', ')}`;
  const open = unsettled === 0 ? '' : `, ${formatCount(unsettled)} times not settled who was right`;
  return `${formatCount(compared)} steps, ${who}; ${formatCount(alone)} once only${open}`;
}

async function sessionOf(file: string): Promise<Session | null> {
  try {
    return sessionSchema.parse(
      JSON.parse(new TextDecoder().decode(await readFileBounded(file, MAX_SESSION_BYTES))),
    );
  } catch (error) {
    if (isKithError(error) && error.code === 'file_not_found') return null;
    if (isKithError(error)) throw error;
    throw new UsageError(`${file} is not what kith shard run writes. Move it away, or name another session.`);
  }
}

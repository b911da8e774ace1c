/** `kith benchmark`: figures of this machine on a local model. @module cli/commands/benchmark */
import { formatBytes, formatDuration, formatPlural } from '../../base/index.ts';
import { openRooms } from '../../node/index.ts';
import { onInterrupt } from '../interrupt.ts';
import { measureEmbeddings, measureText, type Spread } from '../measure.ts';
import { paint, print, printJson, say, table } from '../output.ts';
import type { Handler } from '../program.ts';
import { createProgress } from '../progress.ts';
import { quietLog } from '../quiet-log.ts';
import { settingsOf } from '../settings.ts';

const run: Handler = async ({ options }) => {
  const { config } = settingsOf(options);
  using interrupt = onInterrupt();
  const progress = createProgress();
  await using rooms = await openRooms(config, quietLog(), (model, step) => progress.update(model, step));
  const { engine, local } = rooms;
  const { signal } = interrupt;
  const runs = options.runs as number;
  const chat = (options.model as string | undefined) ?? config.models.default;
  const model = await local.prepare(chat, signal);
  progress.clear();
  const sizes = { prompt: options.prompt as number, tokens: options.tokens as number, runs };
  if (!options.json)
    say(
      `Measuring ${chat}: ${formatPlural(runs, 'run')} of ${sizes.prompt} prompt and ${sizes.tokens} new tokens ...`,
    );
  const text = model.task === 'text' ? await measureText(engine, chat, sizes, signal) : null;
  const embedder = model.task === 'embedding' ? chat : config.models.embedding;
  let embeddings: Spread | null = null;
  if (model.task === 'embedding' || options.model === undefined) {
    await local.prepare(embedder, signal);
    progress.clear();
    embeddings = await measureEmbeddings(engine, embedder, runs, signal);
  }
  const devices = await engine.devices(signal);
  const { rssBytes } = await engine.status(signal);
  if (options.json) {
    printJson({
      model: chat,
      device: model.device,
      threads: devices.threads,
      runner: model.runner,
      weight_bytes: model.weightBytes,
      kv_bytes: model.kvBytes,
      load_ms: model.loadMs,
      ...sizes,
      prefill_tokens_per_s: text?.prefill ?? null,
      decode_tokens_per_s: text?.decode ?? null,
      first_token_ms: text?.firstToken ?? null,
      embedding_model: embeddings === null ? null : embedder,
      embeddings_per_s: embeddings,
      engine_rss_bytes: rssBytes,
    });
    return;
  }
  const row = (name: string, spread: Spread | null, unit: string) =>
    spread === null
      ? []
      : [
          [
            name,
            `${spread.median.toFixed(1)} ${unit}`,
            paint('dim', `${spread.min.toFixed(1)} to ${spread.max.toFixed(1)}`),
          ],
        ];
  print(
    `${chat} on ${model.device}, ${formatPlural(devices.threads, 'thread')}; weights ${formatBytes(model.weightBytes)}, loaded in ${formatDuration(model.loadMs)}`,
  );
  print(
    table([
      ...row('  prefill', text?.prefill ?? null, 'tok/s'),
      ...row('  decode', text?.decode ?? null, 'tok/s'),
      ...row('  first token', text?.firstToken ?? null, 'ms'),
      ...row(`  embeddings (${embedder})`, embeddings, 'texts/s'),
    ]),
  );
  print(paint('dim', `  medians of ${runs}; engine memory ${formatBytes(rssBytes)}`));
};
export default run;

/**
 * node-llama-cpp, opened once per process and only when a model needs it.
 *
 * @module engine/whole/llama
 */

import type { Llama } from 'node-llama-cpp';
import { KithError, messageOf } from '../../base/index.ts';
import type { EngineOptions } from '../types.ts';

export type LlamaLibrary = typeof import('node-llama-cpp');

let opened: Promise<{ library: LlamaLibrary; llama: Llama }> | null = null;

/** Never builds from source and never downloads. @throws KithError `compatibility_unavailable` */
export function openLlama(
  options: Pick<EngineOptions, 'device' | 'threads'>,
  onLog: (level: number, text: string) => void,
): Promise<{ library: LlamaLibrary; llama: Llama }> {
  opened ??= start(options, onLog).catch((cause: unknown) => {
    opened = null;
    throw new KithError(
      'compatibility_unavailable',
      `This model needs node-llama-cpp, which could not be started: ${messageOf(cause)}. Run "npm ci" again, or set \`engine.device\` to cpu.`,
      { status: 503, cause },
    );
  });
  return opened;
}

async function start(
  options: Pick<EngineOptions, 'device' | 'threads'>,
  onLog: (level: number, text: string) => void,
): Promise<{ library: LlamaLibrary; llama: Llama }> {
  const library = await import('node-llama-cpp');
  const { LlamaLogLevel } = library;
  const llama = await library.getLlama({
    gpu: options.device === 'auto' ? 'auto' : options.device === 'cpu' ? false : options.device,
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    maxThreads: options.threads,
    logLevel: LlamaLogLevel.error,
    logger: (level, message) => {
      onLog(level === LlamaLogLevel.error || level === LlamaLogLevel.fatal ? 4 : 3, message);
    },
  });
  return { library, llama };
}

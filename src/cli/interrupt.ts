/**
 * Ctrl-C and SIGTERM as an AbortSignal: the first one asks the work to stop, the second one ends the process.
 *
 * @module cli/interrupt
 */
export interface Interrupt extends Disposable {
  readonly signal: AbortSignal;
}

export function onInterrupt(): Interrupt {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
    },
  };
}

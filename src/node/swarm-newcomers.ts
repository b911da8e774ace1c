/**
 * Learns what newcomers know.
 *
 * @module node/swarm-newcomers
 */
import type { Clock } from '../base/index.ts';
import type { Discoverer, Registry, Swarm } from '../swarm/index.ts';

/** Who has just come says a moment later what it listens to. */
const SETTLE_MS = 500;
const BETWEEN_MS = 2_000;
const FILL_MS = 5_000;

/**
 * Asks others what they know soon after somebody came who is not in the registry: what was announced before that went to
 * nobody, and is said again only within a minute.
 */
export function askNewcomers(
  swarm: Swarm,
  registry: Registry,
  discovery: Discoverer,
  clock: Clock,
): AsyncDisposable {
  const ending = new AbortController();
  let asking: Promise<void> | null = null;
  let again = false;
  const ask = async (): Promise<void> => {
    do {
      again = false;
      await clock.sleep(SETTLE_MS, ending.signal);
      await discovery.fill(null, AbortSignal.any([ending.signal, AbortSignal.timeout(FILL_MS)]));
      await clock.sleep(BETWEEN_MS, ending.signal);
    } while (again);
  };
  const listening = swarm.onPeer((peer, connected) => {
    if (!connected || ending.signal.aborted || registry.of(peer).length > 0) return;
    again = true;
    // It rejects when nobody answered in time, or the swarm ends: gossip goes on.
    asking ??= ask()
      .catch(() => {})
      .finally(() => {
        asking = null;
      });
  });
  return {
    async [Symbol.asyncDispose]() {
      listening[Symbol.dispose]();
      ending.abort();
      await asking;
    },
  };
}

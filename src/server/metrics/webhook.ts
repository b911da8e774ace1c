/**
 * Sends alerts to a webhook: one after the other, with a time limit, again after failures, from a bounded queue. What
 * cannot be delivered is counted and logged; nothing waits for it.
 *
 * @module server/metrics/webhook
 */
import { createHmac } from 'node:crypto';
import { type Clock, type Logger, messageOf } from '../../base/index.ts';
import type { Alert } from './types.ts';

/** Notifications that may wait; the oldest go first when there are more. */
const maxQueue = 50;
/** ms for one attempt, answer included. */
const attemptMs = 5_000;
/** ms between the attempts; one more attempt than there are pauses. */
const pausesMs = [1_000, 5_000, 25_000] as const;

export interface WebhookOptions {
  readonly url: string;
  /** Key of the signature; empty: not signed. */
  readonly secret: string;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Webhook {
  /** Queues a notification and returns at once. */
  send(alert: Alert, again: boolean): void;
  /** Notifications that were given up. */
  readonly failures: number;
  /** Tries to deliver what waits for at most `ms`, then ends. */
  close(ms: number): Promise<void>;
}

/** The body of a notification, documented in docs/observability.md. */
export function payloadOf(alert: Alert, again: boolean, version: string) {
  return { type: 'kith.alert', version: 1, again, alert, node: { version } };
}

/** `sha256=` and the HMAC-SHA256 of `<timestamp>.<body>` in hex. */
export function signature(secret: string, timestamp: string, body: string): string {
  return `sha256=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}

export function createWebhook(options: WebhookOptions): Webhook {
  const { clock, log } = options;
  const queue: { readonly id: string; readonly body: string }[] = [];
  const ending = new AbortController();
  let failures = 0;
  let working: Promise<void> | null = null;

  const giveUp = (why: string, count = 1): void => {
    failures += count;
    log.warn('alert webhook failed', { why, lost: count });
  };

  async function work(): Promise<void> {
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      await deliver(next.id, next.body);
      queue.shift();
    }
  }

  async function deliver(id: string, body: string): Promise<void> {
    for (let attempt = 0; !ending.signal.aborted; attempt++) {
      const outcome = await post(id, body);
      if (outcome.state === 'done') return;
      const pause = pausesMs[attempt];
      if (outcome.state === 'refused' || pause === undefined) return giveUp(outcome.why);
      try {
        await clock.sleep(pause, ending.signal);
      } catch {
        break;
      }
    }
    giveUp('the node ended first');
  }

  /** `refused`: the same again would fail the same way. */
  async function post(
    id: string,
    body: string,
  ): Promise<{ readonly state: 'done' } | { readonly state: 'refused' | 'failed'; readonly why: string }> {
    const timestamp = String(Math.floor(clock.now() / 1000));
    try {
      const response = await fetch(options.url, {
        method: 'POST',
        body,
        // A redirect could lead the notification, and its signature, to somebody else.
        redirect: 'manual',
        signal: AbortSignal.any([ending.signal, AbortSignal.timeout(attemptMs)]),
        headers: {
          'content-type': 'application/json',
          'user-agent': `kith/${options.version}`,
          'x-kith-delivery': id,
          'x-kith-timestamp': timestamp,
          ...(options.secret === ''
            ? {}
            : { 'x-kith-signature': signature(options.secret, timestamp, body) }),
        },
      });
      await response.body?.cancel();
      if (response.ok) return { state: 'done' };
      const why = `it answered with status ${response.status}`;
      const later = response.status >= 500 || response.status === 429 || response.status === 408;
      return { state: later ? 'failed' : 'refused', why };
    } catch (error) {
      // The cause tells more than "fetch failed"; neither may show the address, which can hold a key.
      const cause = (error as { cause?: { code?: unknown } }).cause?.code;
      const name = typeof cause === 'string' ? cause : (error as Error).name;
      return { state: 'failed', why: name === 'TypeError' ? 'fetch failed' : name };
    }
  }

  return {
    send(alert, again) {
      if (ending.signal.aborted) return;
      if (queue.length >= maxQueue) {
        // The first one is being sent.
        queue.splice(1, 1);
        giveUp(`more than ${maxQueue} notifications wait`);
      }
      const id = `${alert.id}-${alert.state}${again ? `-${clock.now()}` : ''}`;
      queue.push({ id, body: JSON.stringify(payloadOf(alert, again, options.version)) });
      working ??= work()
        .catch((error: unknown) => giveUp(messageOf(error)))
        .finally(() => {
          working = null;
        });
    },
    get failures() {
      return failures;
    },
    async close(ms) {
      if (working === null) return ending.abort();
      const timer = setTimeout(() => ending.abort(), ms);
      await working;
      clearTimeout(timer);
      ending.abort();
    },
  };
}

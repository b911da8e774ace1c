/**
 * What screen readers hear: a polite status, and a log that each finished answer enters once.
 *
 * @module web/app/announce
 */
import { createSignal } from 'solid-js';

const [polite, setPolite] = createSignal('');
const [urgent, setUrgent] = createSignal('');
const [finished, setFinished] = createSignal('');
const clearMs = 8_000;

let timer: ReturnType<typeof setTimeout> | undefined;

export function announce(text: string, when: 'politely' | 'now' = 'politely'): void {
  clearTimeout(timer);
  // Saying the same thing again is news to a screen reader only when the text was gone in between.
  setPolite('');
  setUrgent('');
  queueMicrotask(() => (when === 'now' ? setUrgent : setPolite)(text));
  timer = setTimeout(() => {
    setPolite('');
    setUrgent('');
  }, clearMs);
}

/** The answer as text; very long ones by their beginning, which is what one wants to hear. */
export function announceAnswer(text: string): void {
  setFinished(text.slice(0, 4_000));
  setTimeout(() => setFinished(''), clearMs);
}

export function Announcer() {
  return (
    <>
      <div class="unseen" role="status">
        {polite()}
      </div>
      <div class="unseen" role="alert">
        {urgent()}
      </div>
      <div class="unseen" role="log" aria-live="polite" aria-label="Kith">
        {finished()}
      </div>
    </>
  );
}

/**
 * Sends files to a knowledge base, two at a time, and follows each until it is taken in. Goes on while the reader looks at
 * another part of the page.
 *
 * @module web/pages/knowledge/files/uploading
 */
import { createStore } from 'solid-js/store';
import { faultIn } from '../../../data/node-error.ts';
import { size } from '../../../i18n/index.ts';
import { type JobView, upload } from '../desk.ts';
import { k } from '../words/index.ts';
import { type Given, planUploads, settleUploads, sumsOf, type Upload, type UploadState } from './uploads.ts';

const AT_ONCE = 2;
/** A node with a full list of jobs is asked again after this, ms. */
const FULL_MS = 2_000;

interface Sending {
  readonly uploads: readonly Upload[];
  /** Files beyond the bound of the last hand-over. */
  readonly beyond: number;
}

/** By knowledge base. */
const [sending, set] = createStore<Record<string, Sending | undefined>>({});
const bodies = new Map<number, Blob>();
const aborts = new Map<number, AbortController>();
let nextId = 1;

// What is not with the node yet would be lost with the page.
addEventListener('beforeunload', (event) => {
  if (aborts.size > 0) event.preventDefault();
});

export const uploadsOf = (kb: string): readonly Upload[] => sending[kb]?.uploads ?? [];
export const beyondOf = (kb: string): number => sending[kb]?.beyond ?? 0;

/** @param changed called when a file arrived at the node: there is a new job */
export function send(
  kb: string,
  given: readonly Given<Blob>[],
  uploadBytes: number | null,
  changed: () => void,
): void {
  const plan = planUploads(given, nextId, uploadBytes, {
    tooLarge: (bytes) => k('files.tooLarge', { size: size(bytes), limit: size(uploadBytes ?? 0) }),
    empty: k('files.emptyFile'),
  });
  nextId += plan.uploads.length;
  for (const [id, body] of plan.bodies) bodies.set(id, body);
  // What is over makes room; what is under way stays.
  const before = uploadsOf(kb).filter(({ state }) => state !== 'done' && state !== 'left');
  const again = new Set(plan.uploads.map(({ path }) => path));
  const kept = before.filter(({ state, path }) => state !== 'failed' || !again.has(path));
  set(kb, { uploads: [...kept, ...plan.uploads], beyond: plan.beyond });
  for (let worker = aborts.size; worker < AT_ONCE; worker++) void work(kb, changed);
}

function change(kb: string, id: number, part: Partial<Upload>): void {
  set(kb, (now) =>
    now === undefined
      ? now
      : { ...now, uploads: now.uploads.map((each) => (each.id === id ? { ...each, ...part } : each)) },
  );
}

async function work(kb: string, changed: () => void): Promise<void> {
  for (;;) {
    const next = uploadsOf(kb).find(({ state }) => state === 'ready');
    if (next === undefined) return;
    const body = bodies.get(next.id);
    const abort = new AbortController();
    aborts.set(next.id, abort);
    change(kb, next.id, { state: 'sending' });
    try {
      const job = await patiently(kb, next, body!, abort.signal);
      change(kb, next.id, { state: 'taking', sent: next.bytes, job: job.id });
      changed();
    } catch (error) {
      if (abort.signal.aborted) change(kb, next.id, { state: 'left' });
      else {
        const { code, message } = faultIn(error);
        change(kb, next.id, { state: 'failed', trouble: { code, message } });
      }
    } finally {
      aborts.delete(next.id);
      bodies.delete(next.id);
    }
  }
}

async function patiently(kb: string, one: Upload, body: Blob, signal: AbortSignal): Promise<JobView> {
  for (;;) {
    try {
      return await upload(kb, one.path, body, (sent) => change(kb, one.id, { sent }), signal);
    } catch (error) {
      if (signal.aborted || faultIn(error).status !== 429) throw error;
      change(kb, one.id, { state: 'waiting', sent: 0 });
      await new Promise((resolve) => setTimeout(resolve, FULL_MS));
      signal.throwIfAborted();
      change(kb, one.id, { state: 'sending' });
    }
  }
}

export function settle(kb: string, jobs: readonly JobView[]): void {
  const now = sending[kb];
  if (now === undefined || !sumsOf(now.uploads).busy) return;
  set(kb, { ...now, uploads: settleUploads(now.uploads, jobs) });
}

/** Ends what is not with the node yet. */
export function stopSending(kb: string): void {
  const ready: UploadState[] = ['ready', 'waiting', 'sending'];
  for (const { id, state } of uploadsOf(kb)) {
    if (!ready.includes(state)) continue;
    aborts.get(id)?.abort();
    change(kb, id, { state: 'left' });
    bodies.delete(id);
  }
}

/** Forgets those that are over. */
export function clearUploads(kb: string): void {
  const left = uploadsOf(kb).filter(
    ({ state }) => state !== 'done' && state !== 'failed' && state !== 'left',
  );
  set(kb, { uploads: left, beyond: 0 });
}

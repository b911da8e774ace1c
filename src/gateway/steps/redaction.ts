/**
 * Sends a request to a backend without the personal data in it, and puts the data back into the answer.
 *
 * The texts are searched once for a request, however many backends are asked.
 *
 * @module gateway/steps/redaction
 */
import { KithError } from '../../base/index.ts';
import {
  Conversation,
  type Detector,
  type FoundClass,
  hideChat,
  type PrivacyLevel,
  restoreEvents,
  Tally,
} from '../privacy/index.ts';
import type { Backend, ChatEvent, ChatRequest, CompletionRequest, EmbeddingRequest } from '../types.ts';

/**
 * UTF-16 units of a request that are searched: at 1 to 3 MB/s this node does nothing else for up to half a second.
 * Longer requests stay on the owner's machines.
 */
export const maxSearchedUnits = 524_288;

/** What is hidden of one request. */
export interface Redaction {
  /** The backend as this request may use it. */
  over(backend: Backend): Backend;
  /** What was replaced; null before anything was sent. */
  found(): readonly FoundClass[] | null;
}

/** @param detectors null = all that are built in */
export function createRedaction(level: PrivacyLevel, detectors: readonly Detector[] | null): Redaction {
  const conversation = new Conversation(detectors === null ? {} : { detectors });
  const tally = new Tally();
  let found: readonly FoundClass[] | null = null;
  const hidden = new Map<object, ChatRequest>();
  const hideText = (text: string): string => {
    conversation.learn(text);
    const out = conversation.hide(text, { tally });
    found = tally.found();
    return out;
  };
  const checked = (unchecked: readonly string[]) => {
    if (unchecked.length === 0) return;
    throw unmet(level, `nobody can look into its ${unchecked.join(', ')}`);
  };
  const hideTexts = (texts: readonly (string | Int32Array)[]): string[] => {
    searchable(level, texts);
    for (const text of texts) if (typeof text === 'string') conversation.learn(text);
    return texts.map((text) => {
      if (typeof text !== 'string') throw unmet(level, 'nobody can look into its token ids');
      return hideText(text);
    });
  };

  /** Attempts differ in model, signal and prefill only: the messages are the same object. */
  function chatOf(request: ChatRequest): ChatRequest {
    let known = request.prefill === undefined ? hidden.get(request.messages) : undefined;
    if (known === undefined) {
      searchable(level, [JSON.stringify([request.messages, request.tools ?? null, request.prefill ?? ''])]);
      const { request: out, report } = hideChat(request, conversation);
      checked(report.unchecked);
      found = report.found;
      known = out;
      if (request.prefill === undefined) hidden.set(request.messages, out);
    }
    return { ...known, model: request.model, signal: request.signal, maxTokens: request.maxTokens };
  }

  return {
    found: () => found,
    over: (backend) => ({
      ...backend,
      // A getter or method of a class would be lost by the spread: backends here are plain objects.
      async *chat(request: ChatRequest): AsyncGenerator<ChatEvent> {
        const json = request.grammar !== undefined;
        yield* restoreEvents(backend.chat(chatOf(request)), conversation, json);
      },
      async *complete(request: CompletionRequest): AsyncGenerator<ChatEvent> {
        const prompts = hideTexts(request.prompts);
        const stop = request.stop.map(hideText);
        yield* restoreEvents(backend.complete({ ...request, prompts, stop }), conversation);
      },
      embed: async (request: EmbeddingRequest) =>
        backend.embed({ ...request, inputs: hideTexts(request.inputs) }),
    }),
  };
}

function searchable(level: PrivacyLevel, texts: readonly (string | Int32Array)[]): void {
  const units = texts.reduce((sum, text) => sum + text.length, 0);
  if (units <= maxSearchedUnits) return;
  throw unmet(
    level,
    `its ${units} characters are more than are searched for personal data (limit ${maxSearchedUnits})`,
  );
}

function unmet(level: PrivacyLevel, why: string): KithError {
  return new KithError(
    'privacy_unmet',
    `At privacy ${level} the request cannot leave the owner's machines: ${why}.`,
    { status: 403 },
  );
}

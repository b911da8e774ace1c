/**
 * Worker thread: searches long texts for personal data, so that the thread that serves requests does not wait for it.
 *
 * @module gateway/privacy/search/search-worker
 */
import { parentPort, workerData } from 'node:worker_threads';
import { isKithError } from '../../../base/index.ts';
import { Conversation } from '../conversation.ts';
import { BUILT_IN_DETECTORS } from '../detect.ts';
import { createPatternDetector } from '../pattern/index.ts';
import { runHide, type SearchReply, type SearchRequest, type SearchSetup } from './job.ts';

class Stopped extends Error {}

function serve(setup: SearchSetup, { id, job, state }: SearchRequest): SearchReply {
  const stop = new Int32Array(setup.stop);
  const checkpoint = () => {
    if (Atomics.load(stop, 0) === id) throw new Stopped();
  };
  const own = setup.patterns.map((source) => createPatternDetector(source));
  try {
    const conversation = new Conversation({ detectors: [...BUILT_IN_DETECTORS, ...own], checkpoint });
    conversation.adopt(state);
    const result = runHide(job, conversation);
    return { id, type: 'done', result, state: conversation.state() };
  } catch (error) {
    if (error instanceof Stopped) return { id, type: 'stopped' };
    if (isKithError(error))
      return { id, type: 'error', code: error.code, message: error.message, status: error.status };
    // What went wrong in this code may quote the text: the message stays here.
    const name = error instanceof Error ? error.name : 'unknown error';
    return { id, type: 'error', code: 'privacy_search_failed', message: name, status: 503 };
  }
}

const port = parentPort;
if (port !== null) {
  const setup = workerData as SearchSetup;
  port.on('message', (request: SearchRequest) => port.postMessage(serve(setup, request)));
}

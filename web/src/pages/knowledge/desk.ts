/**
 * The knowledge bases of the node as the page asks for them: `/api/rag`, for the owner alone.
 *
 * @module web/pages/knowledge/desk
 */
import type { AnswerEventView } from '../../../../src/server/rag/answer-types.ts';
import type { PassagesView } from '../../../../src/server/rag/reading-types.ts';
import type {
  ChunkView,
  DocumentView,
  FileView,
  HitView,
  JobView,
  KbView,
  SearchView,
} from '../../../../src/server/rag/types.ts';
import { faultOf, NodeError, unreachable } from '../../data/node-error.ts';
import { askAsOwner, asOwner, ownerHeaders, refused } from '../../data/owner.ts';
import { readEvents } from '../../data/sse.ts';
import { language } from '../../i18n/index.ts';

export type {
  AnswerEventView,
  ChunkView,
  DocumentView,
  FileView,
  HitView,
  JobView,
  KbView,
  PassagesView,
  SearchView,
};
export type Stage = FileView['stage'];
export type Mode = 'auto' | 'both' | 'words' | 'vectors' | 'graph';

export interface Filter {
  readonly paths?: readonly string[];
  readonly types?: readonly string[];
  readonly tags?: readonly string[];
  readonly globs?: readonly string[];
  /** ms since 1970. */
  readonly modifiedFrom?: number;
  readonly modifiedTo?: number;
  readonly where?: readonly {
    readonly property: string;
    readonly is: '=' | 'set';
    readonly value?: string;
  }[];
}

const base = '/api/rag/kbs';
const of = (kb: string, rest = '') => `${base}/${encodeURIComponent(kb)}${rest}`;
/** Slashes stay: the rest of the address is the path. */
const inAddress = (path: string) => path.split('/').map(encodeURIComponent).join('/');
const query = (values: Readonly<Record<string, string | number | undefined>>): string => {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return given.length === 0
    ? ''
    : `?${new URLSearchParams(given.map(([key, value]) => [key, String(value)]))}`;
};

export interface KbList {
  readonly kbs: readonly KbView[];
  readonly uploadBytes: number;
}

export const list = () => asOwner<KbList>('GET', base);
export const create = (name: string, folder: string | null) =>
  asOwner<KbView>('POST', base, folder === null ? { name } : { name, folder });
export const destroy = (kb: string, keep: boolean) => asOwner('DELETE', of(kb, keep ? '?keep=true' : ''));

export const show = (kb: string) => asOwner<KbView>('GET', of(kb));
export const ingestPath = (kb: string, path: string) =>
  asOwner<JobView>('POST', of(kb, '/ingest'), { paths: [path] });
export const sync = (kb: string, folder: string | null, allowEmpty = false) =>
  asOwner<{ jobs: JobView[] }>('POST', of(kb, '/sync'), {
    ...(folder === null ? {} : { folder }),
    ...(allowEmpty ? { allowEmpty } : {}),
  });

/** @param keep its documents stay, and belong to no folder any more */
export const unfollow = (kb: string, folder: string, keep: boolean) =>
  asOwner<JobView>('DELETE', of(kb, `/folders${query({ folder, keep: String(keep) })}`));

export const jobs = (kb: string) => asOwner<{ jobs: JobView[] }>('GET', of(kb, '/jobs'));
export const cancel = (kb: string, job: number) => asOwner<JobView>('DELETE', of(kb, `/jobs/${job}`));
/** As soon as the job has come further than `seen`, or after a while. */
export async function job(kb: string, id: number, seen: number, signal: AbortSignal): Promise<JobView> {
  return (await (await askAsOwner(of(kb, `/jobs/${id}?seen=${seen}`), { signal })).json()) as JobView;
}

export const documents = (kb: string, after?: string, limit = 100) =>
  asOwner<{ documents: DocumentView[] }>('GET', of(kb, `/documents${query({ after, limit })}`));
export const removeDocument = (kb: string, path: string) =>
  asOwner<{ removed: number }>('DELETE', of(kb, `/documents/${inAddress(path)}`));
export const files = (kb: string, stage?: Stage, after?: string, limit = 100) =>
  asOwner<{ files: FileView[] }>('GET', of(kb, `/files${query({ stage, after, limit })}`));
/** The passage `chunk` of a document with those around it. */
export const around = (kb: string, path: string, chunk: string, count: number) =>
  asOwner<PassagesView>('GET', of(kb, `/passages${query({ path, chunk, around: count })}`));
/** Passages of a document from a position on. */
export const passages = (kb: string, path: string, from: number, limit: number) =>
  asOwner<PassagesView>('GET', of(kb, `/passages${query({ path, from, limit })}`));

/** Where the file is that a document was read from. @param id as its passages tell it */
export const originalPath = (kb: string, id: string): string => of(kb, `/originals/${id}`);

export interface Search {
  readonly query: string;
  readonly k: number;
  readonly mode: Mode;
  readonly filter?: Filter;
}

export async function search(kb: string, asked: Search, signal: AbortSignal): Promise<SearchView> {
  const headers = { 'content-type': 'application/json' };
  const init = { method: 'POST', headers, body: JSON.stringify({ ...asked, language: language() }), signal };
  return (await (await askAsOwner(of(kb, '/search'), init)).json()) as SearchView;
}

export interface Asked {
  readonly question: string;
  readonly history: readonly {
    readonly question: string;
    readonly answer: string;
    readonly cited: readonly string[];
  }[];
  /** Is made anew, even where one is kept. */
  readonly fresh?: boolean;
}

/** An answer as it comes. Throws `NodeError`; its code is `connection_lost` when it ended before its end. */
export async function* answer(
  kb: string,
  asked: Asked,
  signal: AbortSignal,
): AsyncGenerator<AnswerEventView> {
  const headers = { 'content-type': 'application/json', accept: 'text/event-stream' };
  const body = JSON.stringify({ ...asked, language: language(), stream: true });
  const response = await askAsOwner(of(kb, '/answer'), { method: 'POST', headers, body, signal });
  const requestId = response.headers.get('x-request-id');
  try {
    for await (const { data } of readEvents(response.body!)) {
      if (data === '[DONE]') return;
      const event = JSON.parse(data) as AnswerEventView | { readonly error: unknown };
      if ('error' in event) throw new NodeError(faultOf(event, 0, requestId));
      yield event;
    }
  } catch (error) {
    if (signal.aborted || error instanceof NodeError) throw error;
  }
  throw new NodeError({
    ...{ code: 'connection_lost', status: 0, requestId },
    message: 'The connection to the node broke before the answer was complete.',
  });
}

/**
 * Sends a file. Of what is on its way only this kind of request tells how far it is.
 *
 * @param tell bytes that are gone
 */
export function upload(
  kb: string,
  path: string,
  body: Blob,
  tell: (sent: number) => void,
  signal: AbortSignal,
): Promise<JobView> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', of(kb, `/ingest${query({ path })}`));
    for (const [name, value] of Object.entries(ownerHeaders())) request.setRequestHeader(name, value);
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.upload.onprogress = ({ loaded }) => tell(loaded);
    request.onload = () => {
      const told = parsed(request.responseText);
      if (request.status === 200) return resolve(told as JobView);
      const fault = faultOf(told, request.status, request.getResponseHeader('x-request-id'));
      refused(fault);
      reject(new NodeError(fault));
    };
    request.onerror = () => reject(unreachable());
    request.onabort = () => reject(signal.reason);
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.send(body);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

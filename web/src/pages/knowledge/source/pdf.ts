/**
 * A PDF of the node, page by page, drawn in a thread of its own.
 *
 * @module web/pages/knowledge/source/pdf
 */
import { ownerHeaders } from '../../../data/owner.ts';
import type { DrawOrder, FromDrawer, Sought, ToDrawer } from './pdf-messages.ts';

/** A page that takes longer is given up, and the thread ended. */
const MOST_MS = 30_000;

type Answer = Exclude<FromDrawer['kith'], { readonly kind: 'opened' | 'failed' }>;

export interface Drawn {
  readonly bitmap: ImageBitmap;
  /** How far down the first mark is, 0 to 1; null: nothing is marked. */
  readonly at: number | null;
}

export interface Pdf extends Disposable {
  /** How many it has. */
  readonly pages: Promise<number>;
  /** @throws Error with words of whoever reads PDFs, or `timeout` */
  draw(order: Omit<DrawOrder, 'id'>): Promise<Drawn>;
  /** The page on which that stands which is to be marked, from the one on which its passage begins; that one where it is not found. */
  find(sought: Sought): Promise<number>;
}

/** @param url of the node: its parts are fetched as they are needed */
export function openPdf(url: string): Pdf {
  const worker = new Worker(new URL('./pdf-worker.ts', import.meta.url), { type: 'module' });
  const send = (order: ToDrawer['kith']) => worker.postMessage({ kith: order } satisfies ToDrawer);
  const pages = Promise.withResolvers<number>();
  const waiting = new Map<number, PromiseWithResolvers<Answer>>();
  let last = 0;
  let over: Error | null = null;
  const end = (why: string): void => {
    over ??= new Error(why);
    worker.terminate();
    pages.reject(over);
    for (const one of waiting.values()) one.reject(over);
    waiting.clear();
  };
  // Whoever draws hears of it, too.
  pages.promise.catch(() => {});
  worker.onerror = ({ message }) => end(message);
  worker.onmessage = ({ data }: MessageEvent<Partial<FromDrawer>>) => {
    const news = data.kith;
    if (news === undefined) return;
    if (news.kind === 'opened') return pages.resolve(news.pages);
    if (news.kind === 'failed' && news.id === null) return end(news.why);
    const one = waiting.get(news.id!);
    waiting.delete(news.id!);
    if (news.kind === 'failed') one?.reject(new Error(news.why));
    else one?.resolve(news);
  };
  async function answered(ask: (id: number) => void): Promise<Answer> {
    if (over !== null) throw over;
    const id = ++last;
    const one = Promise.withResolvers<Answer>();
    waiting.set(id, one);
    const timer = setTimeout(() => end('timeout'), MOST_MS);
    ask(id);
    return one.promise.finally(() => clearTimeout(timer));
  }
  send({ kind: 'open', url, headers: ownerHeaders() });
  return {
    pages: pages.promise,
    async draw(order) {
      const news = await answered((id) => send({ kind: 'draw', id, ...order }));
      if (news.kind !== 'drawn') throw new Error('Nothing was drawn.');
      return news;
    },
    async find(sought) {
      const news = await answered((id) => send({ kind: 'find', id, ...sought }));
      return news.kind === 'found' ? news.page : sought.page;
    },
    [Symbol.dispose]: () => end('closed'),
  };
}

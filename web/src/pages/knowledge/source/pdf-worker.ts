/**
 * Draws pages of PDFs beside the page: a broken or endless one stops this thread and nothing else. No script of a document runs, and
 * nothing is loaded that it names.
 *
 * @module web/pages/knowledge/source/pdf-worker
 */
import { getDocument } from 'unpdf/pdfjs';
import { type Span, spansOfPassage, spansOfSentence, spansOfWords } from './pdf-marks.ts';
import type { DrawOrder, FromDrawer, Sought, ToDrawer } from './pdf-messages.ts';

type Pdf = Awaited<ReturnType<typeof getDocument>['promise']>;

/** Of this thread: the types are those of pages. */
const { fonts } = self as unknown as { readonly fonts?: FontFaceSet };

/** Pixels of a drawing: more is not drawn sharper. */
const MOST_PIXELS = 16_000_000;
const MOST_PIECES = 20_000;
const MARK = '#ffe49a';
const BESIDE = '#2f6f55';

type Entry = { canvas: OffscreenCanvas | null; context: OffscreenCanvasRenderingContext2D | null };

/** What the library makes with the document elsewhere: there is none here. */
class Canvases {
  create(width: number, height: number): Entry {
    const canvas = new OffscreenCanvas(Math.max(1, width), Math.max(1, height));
    return { canvas, context: canvas.getContext('2d') };
  }
  reset(entry: Entry, width: number, height: number): void {
    entry.canvas!.width = Math.max(1, width);
    entry.canvas!.height = Math.max(1, height);
  }
  destroy(entry: Entry): void {
    entry.canvas = null;
    entry.context = null;
  }
}

/** Filters are SVG of a document; without them soft masks are drawn as they are. */
class NoFilters {
  addFilter = () => 'none';
  addHCMFilter = () => 'none';
  addAlphaFilter = () => 'none';
  addLuminosityFilter = () => 'none';
  addKnockoutFilter = () => 'none';
  addHighlightHCMFilter = () => 'none';
  createSelectionStyle = () => null;
  destroy(): void {}
}

const tell = (news: FromDrawer['kith'], transfer: Transferable[] = []): void =>
  self.postMessage({ kith: news } satisfies FromDrawer, { transfer });
const whyOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

let opening: Promise<Pdf> | null = null;

self.addEventListener('message', ({ data }: MessageEvent<Partial<ToDrawer>>) => {
  const order = data.kith;
  if (order === undefined) return;
  if (order.kind === 'open') {
    opening = getDocument({
      url: new URL(order.url, self.location.href),
      httpHeaders: order.headers,
      ...{ CanvasFactory: Canvases, FilterFactory: NoFilters, ownerDocument: { fonts } },
      ...{ verbosity: 0, enableXfa: false, useWorkerFetch: false, useWasm: false },
      // Where a thread has no fonts of its own, letters are drawn as shapes.
      disableFontFace: fonts === undefined,
      // Of a long file only what this page needs comes over.
      ...{ useSystemFonts: true, disableAutoFetch: true, disableStream: true },
      // biome-ignore lint/suspicious/noExplicitAny: the types of the library know of documents alone
    } as any).promise;
    opening.then(
      ({ numPages }) => tell({ kind: 'opened', pages: numPages }),
      (error: unknown) => tell({ kind: 'failed', id: null, why: whyOf(error) }),
    );
    return;
  }
  const failed = (error: unknown) => tell({ kind: 'failed', id: order.id, why: whyOf(error) });
  if (order.kind === 'find') find(order).then((page) => tell({ kind: 'found', id: order.id, page }), failed);
  else
    draw(order).then(({ bitmap, at }) => tell({ kind: 'drawn', id: order.id, bitmap, at }, [bitmap]), failed);
});

const spansToMark = (
  texts: readonly string[],
  { sentence, stems }: Omit<Sought, 'page'>,
): readonly Span[] => {
  const cited = sentence === null ? [] : spansOfSentence(texts, sentence);
  return cited.length > 0 || stems.length === 0 ? cited : spansOfWords(texts, new Set(stems));
};

/** Passages are short: what is not on their first page is on the next. */
async function find({ page: first, sentence, stems }: Sought): Promise<number> {
  const pdf = await opening!;
  // Words that were looked for may stand on a page although the sentence does not.
  const sought = { sentence, stems: sentence === null ? stems : [] };
  for (let number = first; number <= Math.min(pdf.numPages, first + 1); number++) {
    const pieces = await piecesOf(await pdf.getPage(number));
    if (
      spansToMark(
        pieces.map(({ str }) => str),
        sought,
      ).length > 0
    )
      return number;
  }
  return first;
}

async function draw(order: DrawOrder): Promise<{ bitmap: ImageBitmap; at: number | null }> {
  const pdf = await opening!;
  const page = await pdf.getPage(Math.max(1, Math.min(pdf.numPages, order.page)));
  try {
    const plain = page.getViewport({ scale: 1 });
    const scale = Math.min(
      order.width / plain.width,
      Math.sqrt(MOST_PIXELS / Math.max(1, plain.width * plain.height)),
    );
    const viewport = page.getViewport({ scale });
    const canvas = new OffscreenCanvas(
      Math.max(1, Math.round(viewport.width)),
      Math.max(1, Math.round(viewport.height)),
    );
    const context = canvas.getContext('2d')!;
    await page.render({
      canvas: null,
      canvasContext: context as unknown as CanvasRenderingContext2D,
      viewport,
    }).promise;
    const top = await mark(page, viewport.transform, context, order);
    return { bitmap: canvas.transferToImageBitmap(), at: top === null ? null : top / canvas.height };
  } finally {
    page.cleanup();
  }
}

type Page = Awaited<ReturnType<Pdf['getPage']>>;

interface Piece {
  readonly str: string;
  readonly transform: readonly number[];
  readonly width: number;
}

async function piecesOf(page: Page): Promise<readonly Piece[]> {
  const { items } = await page.getTextContent();
  return items.filter((item) => 'str' in item).slice(0, MOST_PIECES) as readonly Piece[];
}

/** How far down the first mark is, in pixels; null: there is none. */
async function mark(
  page: Page,
  onto: readonly number[],
  context: OffscreenCanvasRenderingContext2D,
  { sentence, stems, passage }: DrawOrder,
): Promise<number | null> {
  if (sentence === null && stems.length === 0 && passage === null) return null;
  const pieces = await piecesOf(page);
  const texts = pieces.map(({ str }) => str);
  const spans = spansToMark(texts, { sentence, stems });
  context.save();
  context.globalCompositeOperation = 'multiply';
  context.fillStyle = MARK;
  let top = Number.POSITIVE_INFINITY;
  for (const span of spans)
    within(context, onto, pieces[span.piece]!, span, (x, width, size) => {
      context.fillRect(x - 0.08 * size, -0.24 * size, width + 0.16 * size, 1.14 * size);
      top = Math.min(top, context.getTransform().f);
    });
  context.restore();
  const beside = passage === null ? [] : spansOfPassage(texts, passage);
  // What a passage says is nearer to what was meant than a word of it that stands elsewhere on the page, too.
  if (beside.length > 0) {
    const begins = line(
      context,
      onto,
      beside.map(({ piece }) => pieces[piece]!),
    );
    if (sentence === null) return begins;
  }
  return Number.isFinite(top) ? top : null;
}

/** In the piece's own measure: along its line from its beginning, upwards from where letters stand. */
function within(
  context: OffscreenCanvasRenderingContext2D,
  onto: readonly number[],
  { str, transform, width }: Piece,
  { from, to }: Span,
  fill: (x: number, width: number, size: number) => void,
): void {
  const [a = 1, b = 0, c = 0, d = 1, e = 0, f = 0] = transform;
  const along = Math.hypot(a, b) || 1;
  const size = Math.hypot(c, d) || along;
  context.setTransform(...(onto as [number, number, number, number, number, number]));
  context.transform(a / along, b / along, c / size, d / size, e, f);
  context.font = '20px sans-serif';
  const whole = context.measureText(str).width || 1;
  const share = (end: number): number => (context.measureText(str.slice(0, end)).width / whole) * width;
  fill(share(from), share(to) - share(from), size);
}

/** Beside the lines of the passage, as in its text; gives where it begins. */
function line(
  context: OffscreenCanvasRenderingContext2D,
  onto: readonly number[],
  pieces: readonly Piece[],
): number {
  const [a = 1, b = 0, c = 0, d = 1, e = 0, f = 0] = onto;
  const points = pieces.flatMap(({ transform: [, , across = 0, up = 0, x = 0, y = 0] }) => {
    const size = Math.hypot(across, up);
    return [
      { x: a * x + c * y + e, y: b * x + d * y + f },
      { x: a * x + c * (y + size) + e, y: b * x + d * (y + size) + f },
    ];
  });
  const left = Math.min(...points.map(({ x }) => x));
  const top = Math.min(...points.map(({ y }) => y));
  const bottom = Math.max(...points.map(({ y }) => y));
  const scale = Math.hypot(a, b);
  context.save();
  context.resetTransform();
  context.fillStyle = BESIDE;
  context.fillRect(Math.max(0, left - 10 * scale), top, Math.max(2, 2.5 * scale), bottom - top);
  context.restore();
  return top;
}

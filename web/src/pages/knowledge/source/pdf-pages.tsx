/**
 * Pages of a PDF as they are printed, one at a time, with what is cited marked on them.
 *
 * @module web/pages/knowledge/source/pdf-pages
 */
import ChevronLeft from 'lucide-solid/icons/chevron-left';
import ChevronRight from 'lucide-solid/icons/chevron-right';
import Maximize from 'lucide-solid/icons/maximize-2';
import { createEffect, createSignal, on, onCleanup, onMount, Show } from 'solid-js';
import { Dialog } from '../../../base/dialog.tsx';
import { IconButton } from '../../../base/icon-button.tsx';
import { count } from '../../../i18n/index.ts';
import { k } from '../words/index.ts';
import type { Pdf } from './pdf.ts';

export interface Shown {
  readonly title: string;
  /** Where the passage stands. */
  readonly page: number;
  readonly sentence: string | null;
  readonly stems: ReadonlySet<string>;
  readonly passage: string | null;
}

interface Props {
  readonly pdf: Pdf;
  readonly shown: Shown;
  /** Where what is to be marked stands. */
  readonly home: number;
  readonly page: number;
  readonly go: (page: number) => void;
}

export function PdfPages(props: Props) {
  const [large, setLarge] = createSignal(false);
  return (
    <div class="pdf">
      <Controls {...props}>
        <IconButton label={k('source.larger')} onClick={() => setLarge(true)}>
          <Maximize size={16} aria-hidden="true" />
        </IconButton>
      </Controls>
      <Sheet {...props} />
      <Show when={large()}>
        <Dialog title={props.shown.title} close={() => setLarge(false)} class="pdf-dialog knowledge">
          <Controls {...props} />
          <Sheet {...props} />
        </Dialog>
      </Show>
    </div>
  );
}

function Controls(props: Props & { readonly children?: import('solid-js').JSX.Element }) {
  const [pages, setPages] = createSignal<number | null>(null);
  props.pdf.pages.then(setPages, () => setPages(null));
  return (
    <div class="pdf-controls">
      <IconButton
        label={k('source.pageBefore')}
        disabled={props.page <= 1}
        onClick={() => props.go(props.page - 1)}
      >
        <ChevronLeft size={18} aria-hidden="true" />
      </IconButton>
      <span class="figures" aria-live="polite">
        {pages() === null
          ? k('where.page', { page: count(props.page) })
          : k('source.pageOf', { page: count(props.page), pages: count(pages()!) })}
      </span>
      <IconButton
        label={k('source.pageAfter')}
        disabled={pages() !== null && props.page >= pages()!}
        onClick={() => props.go(props.page + 1)}
      >
        <ChevronRight size={18} aria-hidden="true" />
      </IconButton>
      <span class="grow" />
      <Show when={props.page !== props.home}>
        <button type="button" class="text-button" onClick={() => props.go(props.home)}>
          {k('source.pageBack')}
        </button>
      </Show>
      {props.children}
    </div>
  );
}

function Sheet(props: Props) {
  const [state, setState] = createSignal<'drawing' | 'drawn' | 'failed'>('drawing');
  let canvas!: HTMLCanvasElement;
  let box!: HTMLDivElement;
  let last = 0;
  async function draw(): Promise<void> {
    const mine = ++last;
    const { page, pdf } = props;
    const { sentence, stems, passage } = props.shown;
    const width = Math.round(box.clientWidth * devicePixelRatio);
    if (width === 0) return;
    setState((now) => (now === 'drawn' ? now : 'drawing'));
    try {
      const { bitmap, at } = await pdf.draw({ page, width, sentence, stems: [...stems], passage });
      if (mine !== last) return bitmap.close();
      canvas.width = bitmap.width;
      canvas.height = bitmap.height;
      canvas.getContext('bitmaprenderer')?.transferFromImageBitmap(bitmap);
      setState('drawn');
      toMark(at);
    } catch {
      if (mine === last) setState('failed');
    }
  }
  /** A large page is more than fits: what is marked comes into view. */
  const toMark = (at: number | null) => {
    const area = box.closest('dialog');
    if (area === null) return;
    const begins = box.getBoundingClientRect().top - area.getBoundingClientRect().top;
    area.scrollTop += begins + (at ?? 0) * box.clientHeight - area.clientHeight / 3;
  };
  createEffect(
    on([() => props.page, () => props.shown, () => props.pdf], () => void draw(), { defer: true }),
  );
  onMount(() => {
    let before = 0;
    const observer = new ResizeObserver(() => {
      // Its height follows from what is drawn.
      if (box.clientWidth === before) return;
      before = box.clientWidth;
      void draw();
    });
    observer.observe(box);
    onCleanup(() => observer.disconnect());
  });
  onCleanup(() => {
    last = -1;
  });
  return (
    <div class="pdf-sheet" ref={box} aria-busy={state() === 'drawing'} data-state={state()}>
      <canvas
        ref={canvas}
        role="img"
        aria-label={k('source.pageLabel', { page: count(props.page), title: props.shown.title })}
        classList={{ unseen: state() === 'failed' }}
      />
      <Show when={state() === 'failed'}>
        <p class="note mild" role="alert">
          {k('source.notDrawn')}
        </p>
      </Show>
    </div>
  );
}

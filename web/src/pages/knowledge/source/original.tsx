/**
 * The file that a source is from: shown where it is a PDF, saved where it is anything else, or why it is not to be had.
 *
 * @module web/pages/knowledge/source/original
 */
import Download from 'lucide-solid/icons/download';
import { createEffect, createSignal, type JSX, lazy, onCleanup, Show, Suspense } from 'solid-js';
import { createDeed } from '../../../base/deed.ts';
import { ErrorNote } from '../../../base/error-note.tsx';
import { askAsOwner } from '../../../data/owner.ts';
import { type DocumentView, originalPath, type PassagesView } from '../desk.ts';
import { fileName } from '../places.ts';
import { k } from '../words/index.ts';
import type { Pdf } from './pdf.ts';
import type { Shown } from './pdf-pages.tsx';

const Pages = lazy(() => import('./pdf-pages.tsx').then(({ PdfPages }) => ({ default: PdfPages })));

export type Original = PassagesView['original'];
export type Way = 'text' | 'page';

/** What the reader chose last, for the next source. */
const [way, setWay] = createSignal<Way>('text');

interface Props {
  readonly kb: string;
  readonly document: DocumentView;
  readonly original: Original;
  readonly shown: Shown;
  /** Its text. */
  readonly children: JSX.Element;
}

/** The text of a source; of a PDF that is here the reader may see the page instead. */
export function WithOriginal(props: Props) {
  const isPdf = () => props.document.type === 'pdf' && props.original.state === 'here';
  return (
    <>
      <FileLine kb={props.kb} document={props.document} original={props.original} />
      <Show when={isPdf()}>
        <fieldset class="segments source-ways">
          <legend class="unseen">{k('source.ways')}</legend>
          <Way of="text" label={k('source.text')} />
          <Way of="page" label={k('source.page')} />
        </fieldset>
      </Show>
      <Show when={isPdf() && way() === 'page'} fallback={props.children}>
        <Show when={props.original.id} keyed>
          {(id) => <Viewed kb={props.kb} id={id} shown={props.shown} />}
        </Show>
      </Show>
    </>
  );
}

function Way(props: { readonly of: Way; readonly label: string }) {
  return (
    <label>
      <input type="radio" name="source-way" checked={way() === props.of} onChange={() => setWay(props.of)} />
      {props.label}
    </label>
  );
}

function Viewed(props: { readonly kb: string; readonly id: string; readonly shown: Shown }) {
  const [pdf, setPdf] = createSignal<Pdf | null>(null);
  const [page, setPage] = createSignal(props.shown.page);
  /** Where what is to be marked stands. */
  const [home, setHome] = createSignal(props.shown.page);
  const deed = createDeed();
  const gone = new AbortController();
  createEffect(() => {
    const { page: first, sentence, stems } = props.shown;
    const open = pdf();
    setPage(first);
    setHome(first);
    if (open === null || (sentence === null && stems.size === 0)) return;
    // A passage may go over pages: the one with what is cited counts, unless the reader turned a page meanwhile.
    open.find({ page: first, sentence, stems: [...stems] }).then(
      (where) => {
        setHome(where);
        setPage((now) => (now === first ? where : now));
      },
      () => {},
    );
  });
  void deed.run(async () => {
    const path = originalPath(props.kb, props.id);
    // Says why it cannot be had, which who reads PDFs would not; and whether it is still the same file.
    await askAsOwner(path, { headers: { range: 'bytes=0-0' }, signal: gone.signal });
    const { openPdf } = await import('./pdf.ts');
    if (!gone.signal.aborted) setPdf(openPdf(path));
  });
  onCleanup(() => {
    gone.abort();
    pdf()?.[Symbol.dispose]();
  });
  return (
    <>
      <Show when={deed.fault()}>
        {(fault) => (
          <Show when={!gone.signal.aborted}>
            <ErrorNote fault={fault()} />
          </Show>
        )}
      </Show>
      <Show when={pdf()} fallback={deed.busy() ? <p class="aside">{k('source.reading')}</p> : null}>
        {(open) => (
          <Suspense>
            <Pages pdf={open()} shown={props.shown} home={home()} page={page()} go={setPage} />
          </Suspense>
        )}
      </Show>
    </>
  );
}

function FileLine(props: Pick<Props, 'kb' | 'document' | 'original'>) {
  const deed = createDeed();
  const save = () =>
    deed.run(async () => {
      const response = await askAsOwner(originalPath(props.kb, props.original.id));
      const url = URL.createObjectURL(await response.blob());
      const link = document.createElement('a');
      link.href = url;
      link.download = fileName(props.document.path);
      link.click();
      // The browser has begun to save it by then.
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    });
  return (
    <div class="source-file">
      <Show
        when={props.original.state === 'here'}
        fallback={
          <p class="aside">
            {k(`source.originals.${props.original.state as Exclude<Original['state'], 'here'>}`)}
          </p>
        }
      >
        <button type="button" class="text-button" disabled={deed.busy()} onClick={() => void save()}>
          <Download size={15} aria-hidden="true" /> {k('source.save')}
        </button>
      </Show>
      <Show when={deed.fault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
    </div>
  );
}

/**
 * A passage that was found: where it stands, what it says, and why it was found.
 *
 * @module web/pages/knowledge/search/hit
 */
import { createSignal, For, Show } from 'solid-js';
import { openPanel } from '../../../app/ui.ts';
import { createDeed } from '../../../base/deed.ts';
import { ErrorNote } from '../../../base/error-note.tsx';
import { count, fraction } from '../../../i18n/index.ts';
import { around, type ChunkView, type HitView } from '../desk.ts';
import { headingsOf, placeWords } from '../places.ts';
import { k } from '../words/index.ts';
import { excerpt, highlight } from './highlight.ts';

/** Characters of a passage that are shown at first. */
const SHOWN = 420;

export function HitItem(props: {
  readonly kb: string;
  readonly hit: HitView;
  readonly stems: ReadonlySet<string>;
}) {
  const [near, setNear] = createSignal<readonly ChunkView[] | null>(null);
  const deed = createDeed();
  const titleId = () => `hit-${props.hit.id}-${props.hit.position}`;
  const toggle = async () => {
    if (near() !== null) return setNear(null);
    await deed.run(async () => {
      setNear((await around(props.kb, props.hit.path, props.hit.id, 1)).passages);
    });
  };
  const before = () => near()?.filter(({ position }) => position < props.hit.position) ?? [];
  const after = () => near()?.filter(({ position }) => position > props.hit.position) ?? [];
  const open = () =>
    openPanel({
      ...{ kind: 'source', kb: props.kb, path: props.hit.path, chunk: props.hit.id },
      ...{ sentence: null, stems: props.stems },
    });
  const headings = () => headingsOf(props.hit.title);
  return (
    <li class="hit">
      <h2 id={titleId()}>
        <button
          type="button"
          class="hit-title"
          data-hit
          onClick={open}
          title={k('search.open', { title: headings()[0]! })}
        >
          <bdi>
            <Pieces text={headings()[0]!} stems={props.stems} />
          </bdi>
        </button>
        <span class="hit-place figures">{placeWords(props.hit.place)}</span>
      </h2>
      <p class="hit-path">
        <bdi dir="ltr">{props.hit.path}</bdi>
        <Show when={headings().length > 1}>
          <span dir="auto"> › {headings().slice(1).join(' › ')}</span>
        </Show>
      </p>
      <For each={before()}>{(chunk) => <Near chunk={chunk} stems={props.stems} />}</For>
      <p class="passage" dir="auto">
        <Pieces
          text={near() === null ? excerpt(props.hit.text, props.stems, SHOWN) : props.hit.text}
          stems={props.stems}
        />
      </p>
      <For each={after()}>{(chunk) => <Near chunk={chunk} stems={props.stems} />}</For>
      <div class="hit-foot">
        <Why hit={props.hit} />
        <button
          type="button"
          class="text-button"
          aria-expanded={near() !== null}
          aria-describedby={titleId()}
          disabled={deed.busy()}
          onClick={() => void toggle()}
        >
          {near() === null ? k('search.show') : k('search.hide')}
        </button>
      </div>
      <Show when={deed.fault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
    </li>
  );
}

function Near(props: { readonly chunk: ChunkView; readonly stems: ReadonlySet<string> }) {
  return (
    <p class="passage near" dir="auto">
      <Pieces text={props.chunk.text} stems={props.stems} />
    </p>
  );
}

/** Text with what was looked for marked. Nothing of a document becomes markup. */
export function Pieces(props: { readonly text: string; readonly stems: ReadonlySet<string> }) {
  return (
    <For each={highlight(props.text, props.stems)}>
      {(piece) => (piece.hit ? <mark>{piece.text}</mark> : piece.text)}
    </For>
  );
}

const MOST_NAMES = 3;

function Why(props: { readonly hit: HitView }) {
  const reasons = () => {
    const { words, vector, graph } = props.hit;
    const found: { text: string; more: string }[] = [];
    const ranked = (rank: number | null, way: string) =>
      rank === null ? '' : k('search.rank', { rank: count(rank), way });
    if (words !== null)
      found.push({ text: k('search.evidence.words'), more: ranked(words.rank, k('search.evidence.words')) });
    if (vector !== null)
      found.push({
        text: k('search.evidence.vector'),
        more: [
          ranked(vector.rank, k('search.evidence.vector')),
          k('search.cosine', { score: fraction(vector.score) }),
        ]
          .filter(Boolean)
          .join(', '),
      });
    if (graph !== null)
      found.push({
        text:
          graph.through.length === 0
            ? k('search.evidence.graphBare')
            : k('search.evidence.graph', { names: graph.through.slice(0, MOST_NAMES).join(', ') }),
        more: ranked(graph.rank, k('search.evidence.graphBare')),
      });
    return found.length === 0 ? [{ text: k('search.evidence.neither'), more: '' }] : found;
  };
  return (
    <p class="why">
      <span class="unseen">{k('search.why')} </span>
      <For each={reasons()}>
        {(reason) => (
          <span class="reason" title={reason.more}>
            {reason.text}
          </span>
        )}
      </For>
      <Show when={props.hit.duplicates.length}>
        {(more) => <span class="aside">{k('search.duplicates', { count: count(more()) })}</span>}
      </Show>
    </p>
  );
}

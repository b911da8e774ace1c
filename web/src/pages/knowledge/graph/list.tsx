/**
 * The same names as a list, found by typing: all that the map shows, for those who do not see it or rather read.
 *
 * @module web/pages/knowledge/graph/list
 */
import Search from 'lucide-solid/icons/search';
import {
  createEffect,
  createMemo,
  createResource,
  createSignal,
  createUniqueId,
  For,
  onCleanup,
  onMount,
  Show,
} from 'solid-js';
import { count } from '../../../i18n/index.ts';
import { type Atlas, KINDS } from './atlas.ts';
import { entitiesLike } from './desk.ts';
import { fold } from './find.ts';
import { Mark } from './mark.tsx';
import { told } from './told.ts';
import { g } from './words.ts';

interface Props {
  readonly kb: string;
  readonly atlas: Atlas;
  readonly visible: Uint8Array;
  readonly select: (node: number) => void;
  /** A name that is not on the map. */
  readonly selectKey: (key: string) => void;
}

/** Rows above and below those that are seen. */
const SPARE = 8;
const OTHERS = 8;
const pauseMs = 250;

export function NameList(props: Props) {
  const id = createUniqueId();
  const [query, setQuery] = createSignal('');
  const [asked, setAsked] = createSignal('');
  const [at, setAt] = createSignal(0);
  const [top, setTop] = createSignal(0);
  const [height, setHeight] = createSignal(400);
  const [row, setRow] = createSignal(36);
  let box!: HTMLDivElement;
  let space!: HTMLDivElement;
  let rows!: HTMLDivElement;
  const folded = createMemo(() => props.atlas.nodes.map(({ name }) => fold(name)));
  const found = createMemo(() => {
    const words = fold(query()).split(/\s+/).filter(Boolean);
    const fits = (name: string) => words.every((word) => name.startsWith(word) || name.includes(` ${word}`));
    const contains = (name: string) => words.every((word) => name.includes(word));
    const shown = props.atlas.order.filter((i) => props.visible[i] === 1);
    if (words.length === 0) return shown;
    // Beginnings of words are what is mostly meant.
    const first = shown.filter((i) => fits(folded()[i]!));
    const seen = new Set(first);
    return [...first, ...shown.filter((i) => !seen.has(i) && contains(folded()[i]!))];
  });
  createEffect(() => {
    const text = query().trim();
    const timer = setTimeout(() => setAsked(text), pauseMs);
    onCleanup(() => clearTimeout(timer));
  });
  /** The node knows names that the map has no room for. */
  const [others] = createResource(
    () =>
      asked() !== '' && props.atlas.of > props.atlas.nodes.length ? { kb: props.kb, prefix: asked() } : null,
    async ({ kb, prefix }) => {
      try {
        const { entities } = await entitiesLike(kb, prefix, OTHERS + 20);
        return entities.filter(({ key }) => !props.atlas.indexOf.has(key)).slice(0, OTHERS);
      } catch {
        // The list of what is on the map stands without it.
        return [];
      }
    },
  );
  const window_ = () => {
    const first = Math.max(0, Math.floor(top() / row()) - SPARE);
    return { first, rows: found().slice(first, Math.ceil((top() + height()) / row()) + SPARE) };
  };
  onMount(() => {
    const measure = () => {
      setHeight(box.clientHeight);
      setRow(Number.parseFloat(getComputedStyle(rows).getPropertyValue('--name-row')) || 36);
    };
    const observer = new ResizeObserver(measure);
    observer.observe(box);
    onCleanup(() => observer.disconnect());
  });
  createEffect(() => {
    space.style.blockSize = `${found().length * row()}px`;
    rows.style.transform = `translateY(${window_().first * row()}px)`;
  });
  createEffect(() => {
    query();
    setAt(0);
    box.scrollTop = 0;
  });
  const move = (to: number) => {
    const next = Math.max(0, Math.min(found().length - 1, to));
    setAt(next);
    if (next * row() < box.scrollTop) box.scrollTop = next * row();
    else if ((next + 1) * row() > box.scrollTop + box.clientHeight)
      box.scrollTop = (next + 1) * row() - box.clientHeight;
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.isComposing || event.keyCode === 229) return;
    const page = Math.max(1, Math.floor(height() / row()) - 1);
    const steps: Record<string, () => void> = {
      ArrowDown: () => move(at() + 1),
      ArrowUp: () => move(at() - 1),
      PageDown: () => move(at() + page),
      PageUp: () => move(at() - page),
      Enter: () => {
        const node = found()[at()];
        if (node !== undefined) props.select(node);
        else if (told(others)?.[0]) props.selectKey(told(others)![0]!.key);
      },
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    step();
  };
  return (
    <div class="graph-list">
      <div class="finder">
        <Search size={17} aria-hidden="true" />
        <input
          type="text"
          role="combobox"
          aria-expanded="true"
          aria-autocomplete="list"
          aria-controls={`${id}-names`}
          aria-activedescendant={found().length > 0 ? `${id}-${at()}` : undefined}
          aria-label={g('find')}
          placeholder={g('find')}
          autocomplete="off"
          spellcheck={false}
          dir="auto"
          value={query()}
          onInput={(event) => setQuery(event.currentTarget.value)}
          onKeyDown={onKey}
        />
      </div>
      <div class="graph-rows" ref={box} tabindex="-1" onScroll={() => setTop(box.scrollTop)}>
        <div ref={space}>
          <div ref={rows} id={`${id}-names`} role="listbox" aria-label={g('names')}>
            <For each={window_().rows}>
              {(node, index) => {
                const place = () => window_().first + index();
                const kind = () => KINDS[props.atlas.kind[node]!]!;
                return (
                  // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are handled in the field, which keeps the focus
                  // biome-ignore lint/a11y/useFocusableInteractive: the field points at it with aria-activedescendant
                  <div
                    id={`${id}-${place()}`}
                    class="graph-row"
                    role="option"
                    tabindex="-1"
                    aria-selected={at() === place()}
                    aria-setsize={found().length}
                    aria-posinset={place() + 1}
                    onClick={() => props.select(node)}
                  >
                    <Mark kind={kind()} />
                    <span class="name" dir="auto">
                      {props.atlas.nodes[node]!.name}
                    </span>
                    <span class="unseen">{g(`kind.${kind()}`)}</span>
                    <bdi class="weight">{count(props.atlas.nodes[node]!.weight)}</bdi>
                  </div>
                );
              }}
            </For>
          </div>
        </div>
        <Show when={found().length === 0}>
          <p class="aside">{g('noNames')}</p>
        </Show>
        <Show when={told(others)?.length}>
          <section class="graph-others">
            <h2>{g('elsewhere')}</h2>
            <ul>
              <For each={told(others)}>
                {(other) => (
                  <li>
                    <button type="button" class="graph-row" onClick={() => props.selectKey(other.key)}>
                      <span class="name" dir="auto">
                        {other.name}
                      </span>
                      <bdi class="weight">{count(other.mentions)}</bdi>
                    </button>
                  </li>
                )}
              </For>
            </ul>
          </section>
        </Show>
      </div>
    </div>
  );
}

/**
 * Which documents a search keeps to, and by which way it goes.
 *
 * @module web/pages/knowledge/search/filters
 */
import { createMemo, createResource, createUniqueId, For, Show } from 'solid-js';
import { count } from '../../../i18n/index.ts';
import { documents, type Filter, type Mode } from '../desk.ts';
import type { Kb } from '../kb-state.ts';
import { k } from '../words/index.ts';

export interface Wanted {
  readonly path: string;
  readonly type: string;
  readonly tag: string;
  readonly mode: Mode;
}

export const anything: Wanted = { path: '', type: '', tag: '', mode: 'auto' };
const MODES: readonly Mode[] = ['auto', 'both', 'words', 'vectors', 'graph'];
/** Documents whose types, tags and folders are offered. */
const LOOKED_AT = 1000;

/** Null when everything counts. */
export function filterOf({ path, type, tag }: Wanted): Filter | null {
  const filter: Filter = {
    ...(path.trim() === '' ? {} : { paths: [path.trim().replace(/^\/+/, '')] }),
    ...(type === '' ? {} : { types: [type] }),
    ...(tag.trim() === '' ? {} : { tags: [tag.trim().replace(/^#/, '')] }),
  };
  return Object.keys(filter).length === 0 || filter.paths?.[0] === '' ? null : filter;
}

interface Props {
  readonly kb: Kb;
  readonly wanted: Wanted;
  readonly change: (part: Partial<Wanted>) => void;
}

export function Filters(props: Props) {
  const id = createUniqueId();
  const [known] = createResource(
    () => props.kb.state.changes,
    async () => {
      try {
        return (await documents(props.kb.name, undefined, LOOKED_AT)).documents;
      } catch {
        // What is offered only helps: filters work without.
        return [];
      }
    },
    { initialValue: [] },
  );
  const sorted = (values: Iterable<string>) => [...new Set(values)].sort();
  const types = createMemo(() => sorted(known.latest.map(({ type }) => type)));
  const tags = createMemo(() => sorted(known.latest.flatMap((document) => document.tags)));
  const folders = createMemo(() =>
    sorted(
      known.latest.flatMap(({ path }) => {
        const parts = path.split('/').slice(0, -1);
        return parts.map((_, at) => `${parts.slice(0, at + 1).join('/')}/`);
      }),
    ).slice(0, 200),
  );
  const active = () =>
    [props.wanted.path.trim() !== '', props.wanted.type !== '', props.wanted.tag.trim() !== ''].filter(
      Boolean,
    ).length + (props.wanted.mode === 'auto' ? 0 : 1);
  return (
    <details class="filters" open={active() > 0}>
      <summary>
        {active() === 0 ? k('search.filters') : k('search.filtersOn', { count: count(active()) })}
      </summary>
      <div class="filter-fields">
        <div class="field wide">
          <label for={`${id}-path`}>{k('search.path')}</label>
          <input
            id={`${id}-path`}
            class="input"
            dir="ltr"
            list={`${id}-folders`}
            placeholder={k('search.pathHint')}
            maxlength="4096"
            spellcheck={false}
            value={props.wanted.path}
            onInput={(event) => props.change({ path: event.currentTarget.value })}
          />
          <datalist id={`${id}-folders`}>
            <For each={folders()}>{(folder) => <option value={folder} />}</For>
          </datalist>
        </div>
        <div class="field">
          <label for={`${id}-type`}>{k('search.type')}</label>
          <select
            id={`${id}-type`}
            class="input"
            onChange={(event) => props.change({ type: event.currentTarget.value })}
          >
            <option value="" selected={props.wanted.type === ''}>
              {k('search.anyType')}
            </option>
            <For each={types()}>
              {(type) => (
                <option value={type} selected={props.wanted.type === type}>
                  {type}
                </option>
              )}
            </For>
          </select>
        </div>
        <div class="field">
          <label for={`${id}-tag`}>{k('search.tag')}</label>
          <input
            id={`${id}-tag`}
            class="input"
            dir="auto"
            list={`${id}-tags`}
            maxlength="400"
            spellcheck={false}
            value={props.wanted.tag}
            onInput={(event) => props.change({ tag: event.currentTarget.value })}
          />
          <datalist id={`${id}-tags`}>
            <For each={tags()}>{(tag) => <option value={tag} />}</For>
          </datalist>
        </div>
        <div class="field">
          <label for={`${id}-mode`}>{k('search.mode')}</label>
          <select
            id={`${id}-mode`}
            class="input"
            onChange={(event) => props.change({ mode: event.currentTarget.value as Mode })}
          >
            <For each={MODES}>
              {(mode) => (
                <option value={mode} selected={props.wanted.mode === mode}>
                  {k(`search.modes.${mode}`)}
                </option>
              )}
            </For>
          </select>
        </div>
        <Show when={active() > 0}>
          <button type="button" class="text-button clear" onClick={() => props.change(anything)}>
            {k('search.clear')}
          </button>
        </Show>
      </div>
    </details>
  );
}

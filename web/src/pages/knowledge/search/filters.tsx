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
  /** Days as `YYYY-MM-DD`. */
  readonly from: string;
  readonly to: string;
  readonly property: string;
  readonly value: string;
}

export const anything: Wanted = {
  ...{ path: '', type: '', tag: '', mode: 'auto' },
  ...{ from: '', to: '', property: '', value: '' },
};
const DAY_MS = 86_400_000;
const MODES: readonly Mode[] = ['auto', 'both', 'words', 'vectors', 'graph'];
/** Documents whose types, tags and folders are offered. */
const LOOKED_AT = 1000;

/** Where a day begins here, ms since 1970; null when it is none. */
const dayOf = (day: string): number | null => {
  const at = new Date(`${day}T00:00`).getTime();
  return Number.isNaN(at) || at < 0 ? null : at;
};

/** Null when everything counts. */
export function filterOf(wanted: Wanted): Filter | null {
  const path = wanted.path.trim().replace(/^\/+/, '');
  const tag = wanted.tag.trim().replace(/^#/, '');
  const [property, value] = [wanted.property.trim(), wanted.value.trim()];
  const [from, to] = [dayOf(wanted.from), dayOf(wanted.to)];
  const filter: Filter = {
    ...(path === '' ? {} : /[*?]/.test(path) ? { globs: [path] } : { paths: [path] }),
    ...(wanted.type === '' ? {} : { types: [wanted.type] }),
    ...(tag === '' ? {} : { tags: [tag] }),
    ...(from === null ? {} : { modifiedFrom: from }),
    ...(to === null ? {} : { modifiedTo: to + DAY_MS - 1 }),
    ...(property === ''
      ? {}
      : { where: [value === '' ? { property, is: 'set' } : { property, is: '=', value }] }),
  };
  return Object.keys(filter).length === 0 ? null : filter;
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
    Object.keys(filterOf(props.wanted) ?? {}).length + (props.wanted.mode === 'auto' ? 0 : 1);
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
        <div class="field wide">
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
        <div class="field">
          <label for={`${id}-from`}>{k('search.from')}</label>
          <input
            id={`${id}-from`}
            type="date"
            class="input"
            max={props.wanted.to || undefined}
            value={props.wanted.from}
            onInput={(event) => props.change({ from: event.currentTarget.value })}
          />
        </div>
        <div class="field">
          <label for={`${id}-to`}>{k('search.to')}</label>
          <input
            id={`${id}-to`}
            type="date"
            class="input"
            min={props.wanted.from || undefined}
            value={props.wanted.to}
            onInput={(event) => props.change({ to: event.currentTarget.value })}
          />
        </div>
        <div class="field wide">
          <label for={`${id}-property`}>{k('search.property')}</label>
          <input
            id={`${id}-property`}
            class="input"
            dir="auto"
            placeholder={k('search.propertyHint')}
            maxlength="200"
            autocomplete="off"
            spellcheck={false}
            value={props.wanted.property}
            onInput={(event) => props.change({ property: event.currentTarget.value })}
          />
        </div>
        <div class="field wide">
          <label for={`${id}-value`}>{k('search.value')}</label>
          <input
            id={`${id}-value`}
            class="input"
            dir="auto"
            placeholder={k('search.valueHint')}
            maxlength="400"
            autocomplete="off"
            spellcheck={false}
            value={props.wanted.value}
            onInput={(event) => props.change({ value: event.currentTarget.value })}
          />
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

/**
 * Where files are handed over, and how far each of them is.
 *
 * @module web/pages/knowledge/files/add
 */
import Upload from 'lucide-solid/icons/upload';
import { createSignal, createUniqueId, For, Show } from 'solid-js';
import { count, size } from '../../../i18n/index.ts';
import type { Kb } from '../kb-state.ts';
import { kbs } from '../kbs.ts';
import { k, kIfKnown } from '../words/index.ts';
import { chosen, dropped } from './given.ts';
import { beyondOf, clearUploads, send, stopSending, uploadsOf } from './uploading.ts';
import { type Given, sumsOf, type Upload as UploadView } from './uploads.ts';

/** Rows of a long list that are shown: those under way and those that failed come first. */
const MOST_ROWS = 40;

export function Add(props: { readonly kb: Kb }) {
  const id = createUniqueId();
  const { name } = props.kb;
  const [over, setOver] = createSignal(false);
  let picker!: HTMLInputElement;
  let folderPicker!: HTMLInputElement;
  const give = (given: readonly Given<Blob>[]) =>
    send(name, given, kbs.uploadBytes, () => void props.kb.refresh());
  const take = (field: HTMLInputElement) => {
    give(chosen(field.files));
    // Choosing the same file again is a choice, too.
    field.value = '';
  };
  return (
    <section class="add" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{k('files.add')}</h2>
      <p class="sub">{k('files.addMore')}</p>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the buttons in it do the same without a mouse */}
      <div
        class="drop"
        classList={{ over: over() }}
        onDragOver={(event) => {
          if (!event.dataTransfer?.types.includes('Files')) return;
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={(event) => {
          if (!event.currentTarget.contains(event.relatedTarget as Element | null)) setOver(false);
        }}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          if (event.dataTransfer) void dropped(event.dataTransfer).then(give);
        }}
      >
        <Upload size={22} aria-hidden="true" />
        <p class="drop-words">{over() ? k('files.dropNow') : k('files.drop')}</p>
        <div class="drop-acts">
          <button type="button" class="button strong" onClick={() => picker.click()}>
            {k('files.choose')}
          </button>
          <button type="button" class="button" onClick={() => folderPicker.click()}>
            {k('files.chooseFolder')}
          </button>
        </div>
        <Show when={kbs.uploadBytes}>
          {(bytes) => <p class="aside">{k('files.limit', { size: size(bytes()) })}</p>}
        </Show>
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          aria-label={k('files.choose')}
          onChange={(event) => take(event.currentTarget)}
        />
        <input
          ref={(field) => {
            folderPicker = field;
            field.setAttribute('webkitdirectory', '');
          }}
          type="file"
          multiple
          hidden
          aria-label={k('files.chooseFolder')}
          onChange={(event) => take(event.currentTarget)}
        />
      </div>
      <Show when={uploadsOf(name).length > 0}>
        <Uploads kb={name} />
      </Show>
      <Show when={beyondOf(name)}>
        {(more) => <p class="note mild">{k('files.beyond', { count: count(more()) })}</p>}
      </Show>
    </section>
  );
}

const ORDER = { sending: 0, failed: 1, left: 1, waiting: 2, taking: 2, ready: 3, done: 4 } as const;

function Uploads(props: { readonly kb: string }) {
  const all = () => uploadsOf(props.kb);
  const sums = () => sumsOf(all());
  const rows = () => all().toSorted((a, b) => ORDER[a.state] - ORDER[b.state] || a.id - b.id);
  return (
    <div class="uploads">
      <div class="work">
        <span class="name">{k('files.uploads')}</span>
        <span class="amount figures" role="status">
          {k('files.sums', {
            over: count(sums().over),
            files: count(sums().files),
            sent: size(sums().sent),
            size: size(sums().bytes),
          })}
        </span>
        <Show when={sums().busy}>
          <progress aria-label={k('files.uploads')} max={Math.max(1, sums().files)} value={sums().over} />
        </Show>
      </div>
      <ul aria-label={k('files.uploads')}>
        <For each={rows().slice(0, MOST_ROWS)}>{(upload) => <Row upload={upload} />}</For>
      </ul>
      <Show when={all().length > MOST_ROWS}>
        <p class="aside">{k('files.moreUploads', { count: count(all().length - MOST_ROWS) })}</p>
      </Show>
      <div class="upload-acts">
        <Show
          when={all().some(({ state }) => state === 'ready' || state === 'sending' || state === 'waiting')}
          fallback={
            <button type="button" class="text-button" onClick={() => clearUploads(props.kb)}>
              {k('files.clear')}
            </button>
          }
        >
          <button type="button" class="text-button" onClick={() => stopSending(props.kb)}>
            {k('files.stop')}
          </button>
        </Show>
      </div>
    </div>
  );
}

function Row(props: { readonly upload: UploadView }) {
  const one = () => props.upload;
  const isBad = () => one().state === 'failed' || (one().state === 'left' && one().trouble !== null);
  const remedy = () => (one().trouble === null ? null : kIfKnown(`files.remedy.${one().trouble!.code}`));
  return (
    <li class="upload" data-state={one().state}>
      <bdi dir="ltr" class="upload-name">
        {one().path}
      </bdi>
      <span class="upload-state figures">
        <Show when={one().state === 'sending' || one().state === 'taking'}>
          <span class="dot live" />
        </Show>
        {k(`files.states.${one().state}`)}
        <Show when={one().state === 'sending' && one().bytes > 0}>
          , {size(one().sent)} / {size(one().bytes)}
        </Show>
      </span>
      <Show when={one().state === 'sending'}>
        <progress aria-label={one().path} max={Math.max(1, one().bytes)} value={one().sent} />
      </Show>
      <Show when={isBad() && one().trouble}>
        {(trouble) => (
          <span class="upload-trouble" dir="auto">
            {trouble().message} {remedy()}
          </span>
        )}
      </Show>
    </li>
  );
}

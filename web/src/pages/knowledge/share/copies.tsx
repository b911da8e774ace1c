/**
 * A knowledge base written out: as one file, or as notes. Each is a job, which tells how far it is.
 *
 * @module web/pages/knowledge/share/copies
 */
import { createSignal, createUniqueId, type JSX, Match, Show, Switch } from 'solid-js';
import { announce } from '../../../app/announce.tsx';
import { kbPath } from '../../../app/pages.ts';
import { createDeed } from '../../../base/deed.ts';
import { ErrorNote } from '../../../base/error-note.tsx';
import { count, size } from '../../../i18n/index.ts';
import type { JobView } from '../desk.ts';
import type { Kb } from '../kb-state.ts';
import { writeCopy, writeNotes } from './desk.ts';
import { s } from './words.ts';

export function Copies(props: { readonly kb: Kb }) {
  const id = createUniqueId();
  const { name } = props.kb;
  const [replace, setReplace] = createSignal(false);
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{s('copies')}</h2>
      <p class="sub">{s('copiesMore')}</p>
      <Written
        kb={props.kb}
        title={s('copy')}
        hint={s('copyHint')}
        label={s('copyFile')}
        placeholder={`/media/drive/${name}.sqlite`}
        act={s('copyDo')}
        write={(file) => writeCopy(name, file, replace())}
      >
        <label class="check">
          <input
            type="checkbox"
            checked={replace()}
            onChange={(event) => setReplace(event.currentTarget.checked)}
          />
          {s('replace')}
        </label>
      </Written>
      <Written
        kb={props.kb}
        title={s('notes')}
        hint={s('notesHint')}
        label={s('notesFolder')}
        placeholder="/home/ada/Vault/Kith"
        act={s('notesDo')}
        write={(folder) => writeNotes(name, folder)}
      />
    </section>
  );
}

interface Props {
  readonly kb: Kb;
  readonly title: string;
  readonly hint: string;
  readonly label: string;
  readonly placeholder: string;
  readonly act: string;
  readonly write: (where: string) => Promise<JobView>;
  readonly children?: JSX.Element;
}

function Written(props: Props) {
  const id = createUniqueId();
  const [where, setWhere] = createSignal('');
  const [begun, setBegun] = createSignal<number | null>(null);
  const deed = createDeed();
  /** As the page hears of it, wherever it was begun. */
  const job = () => props.kb.state.jobs.find((one) => one.id === begun());
  const go = (event: SubmitEvent) => {
    event.preventDefault();
    void deed.run(async () => {
      setBegun((await props.write(where().trim())).id);
      announce(s('begun'));
      await props.kb.refresh();
    });
  };
  return (
    <form class="write-form" onSubmit={go}>
      <h3 id={`${id}-title`}>{props.title}</h3>
      <p class="aside">{props.hint}</p>
      <div class="line-form">
        <div class="field">
          <label for={id}>{props.label}</label>
          <input
            id={id}
            class="input mono"
            dir="ltr"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            maxlength="4096"
            placeholder={props.placeholder}
            value={where()}
            onInput={(event) => setWhere(event.currentTarget.value)}
          />
        </div>
        <button type="submit" class="button" disabled={deed.busy() || where().trim() === ''}>
          {props.act}
        </button>
      </div>
      {props.children}
      <Show when={deed.fault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
      <div role="status">
        <Show when={job()}>{(one) => <Outcome kb={props.kb.name} job={one()} />}</Show>
      </div>
    </form>
  );
}

function Outcome(props: { readonly kb: string; readonly job: JobView }) {
  const share = () => {
    const { of, totals } = props.job.progress;
    return of === null || of === 0 ? {} : { value: Math.min(of, totals.files), max: of };
  };
  return (
    <Switch
      fallback={
        <div class="written">
          <a href={kbPath(props.kb, 'files')}>{s('writing')}</a>
          <progress aria-label={s('writing')} {...share()} />
        </div>
      }
    >
      <Match when={props.job.error}>
        {(error) => (
          <p class="note" dir="auto">
            {s('failed', { why: error().message })}
          </p>
        )}
      </Match>
      <Match when={props.job.progress.copy}>
        {(copy) => (
          <p class="written breaking">{s('written', { file: copy().file, size: size(copy().bytes) })}</p>
        )}
      </Match>
      <Match when={props.job.progress.notes}>
        {(notes) => (
          <p class="written breaking">
            {s('notesWritten', {
              folder: notes().folder,
              written: count(notes().written),
              unchanged: count(notes().unchanged),
            })}{' '}
            <Show when={notes().leftCount > 0}>{s('notesLeft', { count: count(notes().leftCount) })}</Show>
          </p>
        )}
      </Match>
      <Match when={props.job.state === 'cancelled'}>{null}</Match>
    </Switch>
  );
}

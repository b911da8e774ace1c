/**
 * How far each file has come, and of those that could not be read why, and what to do.
 *
 * @module web/pages/knowledge/files/file-states
 */
import { createEffect, createSignal, createUniqueId, For, on, Show } from 'solid-js';
import { createDeed } from '../../../base/deed.ts';
import { ErrorNote } from '../../../base/error-note.tsx';
import { count, moment, size } from '../../../i18n/index.ts';
import { type FileView, files, type Stage } from '../desk.ts';
import type { Kb } from '../kb-state.ts';
import { More } from '../more.tsx';
import { k, kIfKnown } from '../words/index.ts';

const CHOICES = ['notRead', 'onTheWay', 'all'] as const;
type Choice = (typeof CHOICES)[number];
const ON_THE_WAY: readonly Stage[] = ['waiting', 'parsed', 'chunked', 'embedded'];
const PAGE = 100;

export function FileStates(props: { readonly kb: Kb }) {
  const id = createUniqueId();
  const { name, state } = props.kb;
  const [chosen, setChosen] = createSignal<Choice | null>(null);
  const [shown, setShown] = createSignal<readonly FileView[] | null>(null);
  const [whole, setWhole] = createSignal(true);
  const deed = createDeed();
  const counts = () => state.view?.contents?.files ?? {};
  const onTheWay = () => ON_THE_WAY.reduce((sum, stage) => sum + (counts()[stage] ?? 0), 0);
  const numbers = (): Record<Choice, number> => ({
    notRead: counts().failed ?? 0,
    onTheWay: onTheWay(),
    all: Object.values(counts()).reduce((sum, each) => sum + each, 0),
  });
  const choice = (): Choice => chosen() ?? (numbers().notRead > 0 ? 'notRead' : 'all');
  const read = (which: Choice, after?: string) =>
    deed.run(async () => {
      const stages: readonly (Stage | undefined)[] =
        which === 'all' ? [undefined] : which === 'notRead' ? ['failed'] : ON_THE_WAY;
      const told = await Promise.all(stages.map((stage) => files(name, stage, after, PAGE)));
      if (which !== choice()) return;
      const found = told.flatMap((page) => page.files);
      setShown((now) => (after === undefined ? found : [...(now ?? []), ...found]));
      setWhole(which === 'onTheWay' || found.length < PAGE);
    });
  createEffect(on([choice, () => state.changes], ([which]) => void read(which)));
  return (
    <Show when={numbers().all > 0}>
      <section aria-labelledby={`${id}-title`}>
        <h2 id={`${id}-title`}>{k('files.state')}</h2>
        <p class="sub">{k('files.stateMore')}</p>
        <fieldset class="segments stages">
          <legend class="unseen">{k('files.shown')}</legend>
          <For each={CHOICES}>
            {(one) => (
              <label>
                <input
                  type="radio"
                  name={`${id}-stage`}
                  checked={choice() === one}
                  onChange={() => setChosen(one)}
                />
                <span class="figures">
                  {k(`files.${one}`)} {count(numbers()[one])}
                </span>
              </label>
            )}
          </For>
        </fieldset>
        <Show when={deed.fault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
        <Show when={shown()?.length} fallback={<p class="nothing">{k('files.none')}</p>}>
          <div class="table-box">
            <table class="figure-table files">
              <thead>
                <tr>
                  <th scope="col">{k('files.file')}</th>
                  <th scope="col">{k('files.stage')}</th>
                  <th scope="col">{k('files.when')}</th>
                </tr>
              </thead>
              <tbody>
                <For each={shown()}>{(file) => <Row file={file} />}</For>
              </tbody>
            </table>
          </div>
        </Show>
        <Show when={!whole()}>
          <More busy={deed.busy()} read={() => void read(choice(), shown()!.at(-1)!.path)} />
        </Show>
      </section>
    </Show>
  );
}

function Row(props: { readonly file: FileView }) {
  const one = () => props.file;
  return (
    <tr>
      <th scope="row">
        <bdi dir="ltr">{one().path}</bdi>
        <Show when={one().error}>
          {(error) => (
            <>
              <span class="more bad" dir="auto">
                {error().message}
              </span>
              <Show when={kIfKnown(`files.remedy.${error().code}`)}>
                {(words) => <span class="more">{words()}</span>}
              </Show>
            </>
          )}
        </Show>
      </th>
      <td>
        <span class="stage" data-stage={one().stage}>
          {k(`files.stages.${one().stage}`)}
        </span>
        <span class="more">{size(one().bytes)}</span>
      </td>
      <td>
        <bdi>{moment(one().at)}</bdi>
      </td>
    </tr>
  );
}

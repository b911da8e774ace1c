/**
 * Questions to a knowledge base, one after the other.
 *
 * @module web/pages/knowledge/ask/ask-view
 */
import ArrowUp from 'lucide-solid/icons/arrow-up';
import Square from 'lucide-solid/icons/square';
import { createSignal, For, onMount, Show } from 'solid-js';
import type { Kb } from '../kb-state.ts';
import { NothingYet } from '../nothing-yet.tsx';
import { k } from '../words/index.ts';
import { AnswerTurn } from './answer-turn.tsx';
import { ask, askAgain, beginAnew, draftOf, isAnswering, keepDraft, stop, turnsOf } from './asking.ts';

/** As the node bounds them. */
const MOST_CHARACTERS = 8000;

export function AskView(props: { readonly kb: Kb }) {
  const { name } = props.kb;
  const [text, setText] = createSignal(draftOf(name));
  let field!: HTMLTextAreaElement;
  let thread!: HTMLDivElement;
  const empty = () => props.kb.state.view?.contents?.chunks === 0;
  const take = (value: string) => {
    setText(value);
    keepDraft(name, value);
  };
  onMount(() => {
    if (matchMedia('(pointer: fine)').matches) field?.focus({ preventScroll: true });
  });
  const toTop = () =>
    queueMicrotask(() => thread.querySelector('.asked:last-of-type')?.scrollIntoView({ block: 'start' }));
  const send = () => {
    const question = text().trim();
    if (question === '' || isAnswering(name)) return;
    take('');
    void ask(name, question);
    toTop();
  };
  const onKey = (event: KeyboardEvent) => {
    // Enter that ends a composition (Japanese, Chinese) chooses a word; 229 is how older engines say so.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === 'Escape' && isAnswering(name)) stop(name);
    else if (event.key === 'Enter' && !event.shiftKey) send();
    else return;
    event.preventDefault();
  };
  return (
    <Show
      when={!empty()}
      fallback={<NothingYet kb={name} what={k('search.notYet')} more={k('search.notYetMore')} />}
    >
      <section class="ask" aria-label={k('kb.ask')}>
        <div class="asked-list" ref={thread}>
          <Show when={turnsOf(name).length > 0} fallback={<p class="sub ask-lede">{k('ask.ledeMore')}</p>}>
            <For each={turnsOf(name).map(({ id }) => id)}>
              {(id, index) => (
                <AnswerTurn
                  kb={name}
                  turn={turnsOf(name).find((turn) => turn.id === id)!}
                  last={index() === turnsOf(name).length - 1}
                  again={() => {
                    void askAgain(name);
                    toTop();
                  }}
                />
              )}
            </For>
          </Show>
        </div>
        <div class="ask-dock">
          <form
            class="composer"
            onSubmit={(event) => {
              event.preventDefault();
              send();
            }}
          >
            <textarea
              ref={field}
              rows="1"
              dir="auto"
              data-ask
              aria-label={k('ask.label', { name })}
              placeholder={k('ask.placeholder')}
              enterkeyhint="send"
              maxlength={MOST_CHARACTERS}
              value={text()}
              onInput={(event) => take(event.currentTarget.value)}
              onKeyDown={onKey}
            />
            <div class="tools">
              <span class="aside kept">{k('ask.kept')}</span>
              <span class="grow" />
              <Show when={turnsOf(name).length > 0}>
                <button type="button" class="text-button" onClick={() => beginAnew(name)}>
                  {k('ask.fresh')}
                </button>
              </Show>
              <Show
                when={isAnswering(name)}
                fallback={
                  <button
                    type="submit"
                    class="send"
                    disabled={text().trim() === ''}
                    aria-label={k('ask.send')}
                    title={k('ask.send')}
                  >
                    <ArrowUp size={19} aria-hidden="true" />
                  </button>
                }
              >
                <button
                  type="button"
                  class="send"
                  aria-label={k('ask.stop')}
                  title={k('ask.stop')}
                  onClick={() => stop(name)}
                >
                  <Square size={14} fill="currentcolor" aria-hidden="true" />
                </button>
              </Show>
            </div>
          </form>
        </div>
      </section>
    </Show>
  );
}

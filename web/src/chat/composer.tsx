/**
 * Where questions are written. What was typed and not sent is kept, by conversation.
 *
 * @module web/chat/composer
 */
import ArrowUp from 'lucide-solid/icons/arrow-up';
import Square from 'lucide-solid/icons/square';
import { createEffect, createSignal, on, onMount, Show } from 'solid-js';
import { announce } from '../app/announce.tsx';
import { maxQuestion } from '../data/conversations.ts';
import { keepDraft, readDraft } from '../data/preferences.ts';
import { count, t } from '../i18n/index.ts';
import { ContextMeter } from './context-meter.tsx';
import { Promised } from './promised.tsx';

interface Props {
  /** Conversation; `new` for the one that begins. */
  readonly id: string;
  readonly answering: boolean;
  /** Why nothing can be asked, in a sentence; null when it can. */
  readonly closed: string | null;
  readonly send: (question: string) => void;
  readonly stop: () => void;
}

export function Composer(props: Props) {
  let field!: HTMLTextAreaElement;
  const [text, setText] = createSignal('');
  const tooLong = () => text().length > maxQuestion;
  const empty = () => text().trim() === '';

  const take = (value: string) => {
    setText(value);
    keepDraft(props.id, value);
    grow();
  };
  /** For browsers without `field-sizing`: as tall as its text. */
  const grow = () => {
    if (CSS.supports('field-sizing', 'content')) return;
    field.style.setProperty('height', 'auto');
    field.style.setProperty('height', `${field.scrollHeight}px`);
  };
  createEffect(
    on(
      () => props.id,
      (id) => {
        setText(readDraft(id));
        grow();
      },
    ),
  );
  onMount(() => {
    // On a phone the focus would open the keyboard over what one came to read.
    if (matchMedia('(pointer: fine)').matches) field.focus({ preventScroll: true });
  });
  const send = () => {
    if (empty() || tooLong() || props.answering || props.closed !== null) return;
    const question = text().trim();
    take('');
    announce(t('live.answering'));
    props.send(question);
  };
  const onKey = (event: KeyboardEvent) => {
    // Enter that ends a composition (Japanese, Chinese) chooses a word; 229 is how older engines say so.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    send();
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
      onPointerDown={(event) => {
        if ((event.target as Element).closest('button, textarea, [data-meter]')) return;
        event.preventDefault();
        field.focus();
      }}
    >
      <textarea
        ref={field}
        rows="1"
        dir="auto"
        aria-label={t('chat.question')}
        aria-describedby="composer-note"
        aria-invalid={tooLong()}
        placeholder={t('chat.ask')}
        enterkeyhint="send"
        value={text()}
        onInput={(event) => take(event.currentTarget.value)}
        onKeyDown={onKey}
      />
      <div class="tools">
        <Promised conversation={props.id === 'new' ? null : props.id} />
        <span class="grow" />
        <ContextMeter id={props.id} />
        <Show
          when={props.answering}
          fallback={
            <button
              type="submit"
              class="send"
              disabled={empty() || tooLong() || props.closed !== null}
              aria-label={t('chat.send')}
              title={t('chat.send')}
            >
              <ArrowUp size={19} aria-hidden="true" />
            </button>
          }
        >
          <button
            type="button"
            class="send"
            aria-label={t('chat.stop')}
            title={t('chat.stop')}
            onClick={() => props.stop()}
          >
            <Square size={14} fill="currentcolor" aria-hidden="true" />
          </button>
        </Show>
      </div>
      <span id="composer-note" classList={{ unseen: !tooLong() && props.closed === null, wrong: true }}>
        {props.closed ??
          (tooLong()
            ? t('chat.tooLong', { length: count(text().length), limit: count(maxQuestion) })
            : t('chat.sources'))}
      </span>
    </form>
  );
}

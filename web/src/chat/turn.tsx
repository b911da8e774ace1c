/**
 * One question and its answer. The question is a heading, the answer prose: a conversation is a document.
 *
 * @module web/chat/turn
 */
import Pencil from 'lucide-solid/icons/pencil';
import RotateCw from 'lucide-solid/icons/rotate-cw';
import { createSignal, Match, onMount, Show, Switch } from 'solid-js';
import { Copy } from '../base/copy.tsx';
import { ErrorNote } from '../base/error-note.tsx';
import { IconButton } from '../base/icon-button.tsx';
import { giveUp, resumes } from '../data/answering.ts';
import type { Turn } from '../data/archive.ts';
import { decisionOf } from '../data/feedback.ts';
import { node } from '../data/node-state.ts';
import { t } from '../i18n/index.ts';
import { Judge } from './judge.tsx';
import { PlaceChip } from './place-chip.tsx';
import { StreamText } from './stream-text.tsx';

interface Props {
  readonly conversation: string;
  readonly turn: Turn;
  readonly last: boolean;
  /** Another turn of the conversation is being answered. */
  readonly busy: boolean;
  readonly retry: () => void;
  readonly resend: (question: string) => void;
}

/** A question above this is a text someone put there. */
const longQuestion = 400;

export function TurnView(props: Props) {
  const answer = () => props.turn.answer;
  const running = () => answer().state === 'waiting' || answer().state === 'writing';
  const [editing, setEditing] = createSignal(false);
  const questionId = `question-${props.turn.id}`;
  return (
    <article
      class="turn"
      classList={{ live: running(), 'at-rest': !running() && !props.last }}
      tabindex="-1"
      data-turn={props.turn.id}
      data-state={answer().state}
      aria-labelledby={questionId}
    >
      <div class="question" classList={{ long: props.turn.question.length > longQuestion }}>
        <Show
          when={editing()}
          fallback={
            <>
              <h2 id={questionId} dir="auto">
                {props.turn.question}
              </h2>
              <Show when={!props.busy && !running()}>
                <IconButton label={t('turn.edit')} onClick={() => setEditing(true)}>
                  <Pencil size={15} aria-hidden="true" />
                </IconButton>
              </Show>
            </>
          }
        >
          <Edit
            id={questionId}
            question={props.turn.question}
            cancel={() => setEditing(false)}
            send={(question) => {
              setEditing(false);
              props.resend(question);
            }}
          />
        </Show>
      </div>
      <div class="body" aria-live="off">
        <Show when={answer().text !== ''}>
          <StreamText text={answer().text} growing={running()} />
        </Show>
        <Show when={answer().state === 'waiting'}>
          <p class="waiting">
            <span class="dot live" />
            {node.health?.status === 'starting' ? t('turn.waitingModel') : t('turn.waiting')}
          </p>
        </Show>
        <Show when={!running()}>
          <Ending {...props} />
        </Show>
      </div>
    </article>
  );
}

function Ending(props: Props) {
  const answer = () => props.turn.answer;
  const again = () => (
    <Show when={props.last && !props.busy}>
      <button type="button" class="button" onClick={props.retry}>
        <RotateCw size={15} aria-hidden="true" />
        {t('errors.retry')}
      </button>
    </Show>
  );
  return (
    <>
      <Switch>
        <Match when={resumes(props.conversation, props.turn.id)}>
          <div class="note mild resume">
            <p class="what">{t('turn.resumes')}</p>
            <div class="acts">
              <button type="button" class="button" onClick={() => giveUp(props.conversation)}>
                {t('turn.giveUp')}
              </button>
            </div>
          </div>
        </Match>
        <Match when={answer().fault}>{(fault) => <ErrorNote fault={fault()}>{again()}</ErrorNote>}</Match>
        <Match when={answer().state === 'lost'}>
          <div class="note mild">
            <p class="what">{t('turn.lost')}</p>
            <div class="acts">{again()}</div>
          </div>
        </Match>
      </Switch>
      <Show when={answer().text !== '' || answer().state === 'done' || answer().state === 'stopped'}>
        <div class="receipt-row">
          <PlaceChip turn={props.turn.id} answer={answer()} />
          <Show when={answer().state === 'stopped'}>
            <span class="aside">{t('turn.stopped')}</span>
          </Show>
          <Show when={answer().state === 'done' && answer().finish === 'length'}>
            <span class="aside">{t('turn.limit')}</span>
          </Show>
          <div class="acts">
            <Show when={answer().text !== ''}>
              <Copy text={() => answer().text} label={t('turn.copy')} />
            </Show>
            <Show when={answer().state === 'done' && decisionOf(props.conversation, props.turn.id)}>
              <Judge conversation={props.conversation} turn={props.turn} />
            </Show>
            <Show when={props.last && !props.busy}>
              <IconButton label={t('turn.retry')} onClick={props.retry}>
                <RotateCw size={17} aria-hidden="true" />
              </IconButton>
            </Show>
          </div>
        </div>
      </Show>
    </>
  );
}

function Edit(props: {
  readonly id: string;
  readonly question: string;
  readonly cancel: () => void;
  readonly send: (question: string) => void;
}) {
  let field!: HTMLTextAreaElement;
  onMount(() => {
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  });
  const send = () => {
    if (field.value.trim() !== '') props.send(field.value);
  };
  return (
    <div class="edit">
      <h2 id={props.id} class="unseen">
        {t('turn.editing')}
      </h2>
      <textarea
        ref={field}
        class="input"
        dir="auto"
        aria-label={t('turn.editing')}
        value={props.question}
        onKeyDown={(event) => {
          if (event.isComposing || event.keyCode === 229) return;
          if (event.key === 'Escape') props.cancel();
          else if (event.key === 'Enter' && !event.shiftKey) send();
          else return;
          event.preventDefault();
        }}
      />
      <div class="acts">
        <button type="button" class="button strong" onClick={send}>
          {t('turn.resend')}
        </button>
        <button type="button" class="button" onClick={props.cancel}>
          {t('app.cancel')}
        </button>
      </div>
    </div>
  );
}

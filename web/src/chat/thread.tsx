/**
 * The turns of a conversation. A question that was just sent stands on top, with room for its answer below; the page
 * follows a growing answer only for a reader who is at its end.
 *
 * @module web/chat/thread
 */
import ArrowDown from 'lucide-solid/icons/arrow-down';
import { createEffect, createSignal, For, on, onCleanup, onMount, Show } from 'solid-js';
import { Portal } from 'solid-js/web';
import { offerUndo } from '../app/ui.ts';
import { answer, answeringTurn, stop } from '../data/answering.ts';
import type { Turn } from '../data/archive.ts';
import { copyTurns, save, setTurns, turnsOf } from '../data/conversations.ts';
import { t } from '../i18n/index.ts';
import { TurnView } from './turn.tsx';

/** Within this distance of its end (px) a reader follows an answer. */
const nearEnd = 64;
/** Room left below the end of what is followed (px). */
const room = 20;

interface Props {
  readonly id: string;
  /** Where the way back to the newest text is shown. */
  readonly dock: HTMLElement | undefined;
}

export function Thread(props: Props) {
  let scroller!: HTMLElement;
  let column!: HTMLDivElement;
  let following = true;
  /** An answer grows, or has just ended: its foot comes with the end. */
  let live = false;
  /** Where the page was last scrolled to (px): above it only a reader goes. */
  let top = 0;
  const [away, setAway] = createSignal(false);
  const turns = () => turnsOf(props.id) ?? [];
  const lastTurn = () => column.lastElementChild as HTMLElement | null;

  /** How far the end of the answer lies below the visible part (px); negative when it is in it. */
  const beyond = () => {
    const body = lastTurn()?.querySelector('.body');
    return body ? body.getBoundingClientRect().bottom + room - scroller.getBoundingClientRect().bottom : 0;
  };
  const moveTo = (to: number) => {
    scroller.scrollTop = to;
    top = scroller.scrollTop;
  };
  const look = () => {
    const distance = beyond();
    // The answer may have grown between our own scrolling and the word of it: only the way up leaves the end.
    if (distance <= nearEnd) following = true;
    else if (scroller.scrollTop < top) following = false;
    top = scroller.scrollTop;
    setAway(!following && distance > nearEnd);
  };
  const grown = () => {
    const distance = beyond();
    const follow = following && distance > 0 && live;
    if (follow) moveTo(scroller.scrollTop + distance);
    setAway(!follow && distance > nearEnd);
  };
  const toEnd = () => {
    moveTo(scroller.scrollTop + beyond());
    following = true;
  };
  const toQuestion = () => {
    const last = lastTurn();
    if (last) moveTo(last.offsetTop - column.offsetTop);
    following = true;
  };

  onMount(() => {
    const observer = new ResizeObserver(grown);
    createEffect(
      on([() => turns().length, () => turns().at(-1)?.id], () => {
        observer.disconnect();
        const body = lastTurn()?.querySelector('.body');
        if (body) observer.observe(body);
        // The field below grows and shrinks, and a phone's keyboard comes and goes.
        observer.observe(scroller);
        // With the turns above at their real sizes: those out of sight are estimated until then.
        requestAnimationFrame(toQuestion);
        toQuestion();
      }),
    );
    onCleanup(() => observer.disconnect());
    createEffect(
      on([() => answeringTurn(props.id) !== null], ([answering], before) => {
        if (answering) live = true;
        if (answering || !before?.[0]) return;
        grown();
        requestAnimationFrame(() => {
          grown();
          live = answeringTurn(props.id) !== null;
        });
      }),
    );
  });

  /** Turns up to one, with a way back to what was there. */
  const cutTo = (index: number, turn: Turn): void => {
    const { id } = props;
    const before = copyTurns(id);
    const back = async () => {
      await stop(id);
      setTurns(id, before);
      await save(id);
    };
    setTurns(id, [...before.slice(0, index), turn]);
    if (index < before.length - 1) offerUndo(t('chat.cut'), () => void back());
  };
  const resend = (index: number, question: string) => {
    const turn = { ...copyTurns(props.id)[index]!, question, asked: Date.now() };
    cutTo(index, turn);
    void answer(props.id, turn.id);
  };

  return (
    <>
      <section class="scroller" ref={scroller} onScroll={look} tabindex="0" aria-label={t('chat.thread')}>
        <div class="thread" ref={column}>
          <For each={turns()}>
            {(turn, index) => (
              <TurnView
                conversation={props.id}
                turn={turn}
                last={index() === turns().length - 1}
                busy={answeringTurn(props.id) !== null}
                retry={() => void answer(props.id, turn.id)}
                resend={(question) => resend(index(), question)}
              />
            )}
          </For>
        </div>
      </section>
      <Show when={away() && props.dock}>
        <Portal mount={props.dock!}>
          <button type="button" class="button newest" onClick={toEnd}>
            <ArrowDown size={15} aria-hidden="true" />
            {t('chat.newest')}
          </button>
        </Portal>
      </Show>
    </>
  );
}

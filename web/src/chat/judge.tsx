/**
 * Whether an answer was good: asked only where the node chose between its models, which it learns from.
 *
 * @module web/chat/judge
 */
import ThumbsDown from 'lucide-solid/icons/thumbs-down';
import ThumbsUp from 'lucide-solid/icons/thumbs-up';
import { createSignal, Show } from 'solid-js';
import { announce } from '../app/announce.tsx';
import { IconButton } from '../base/icon-button.tsx';
import type { Turn } from '../data/archive.ts';
import { judge } from '../data/feedback.ts';
import { NodeError } from '../data/node-error.ts';
import { t } from '../i18n/index.ts';

export function Judge(props: { readonly conversation: string; readonly turn: Turn }) {
  const [failed, setFailed] = createSignal<string | null>(null);
  const [sending, setSending] = createSignal(false);
  const judged = () => props.turn.answer.judged ?? null;
  // The node takes one judgement: what it has stays pressed.
  const closed = () => sending() || judged() !== null;
  const tell = async (good: boolean) => {
    if (closed()) return;
    setSending(true);
    setFailed(null);
    try {
      await judge(props.conversation, props.turn.id, good);
      announce(t('judge.thanks'));
    } catch (error) {
      const late = error instanceof NodeError && error.fault.code === 'decision_not_found';
      setFailed(t(late ? 'judge.late' : 'judge.failed'));
    } finally {
      setSending(false);
    }
  };
  return (
    <>
      <Show when={failed()}>
        {(why) => (
          <span class="aside judged" role="status">
            {why()}
          </span>
        )}
      </Show>
      <IconButton
        label={t('judge.good')}
        aria-pressed={judged() === true}
        aria-disabled={closed()}
        onClick={() => void tell(true)}
      >
        <ThumbsUp size={17} aria-hidden="true" />
      </IconButton>
      <IconButton
        label={t('judge.bad')}
        aria-pressed={judged() === false}
        aria-disabled={closed()}
        onClick={() => void tell(false)}
      >
        <ThumbsDown size={17} aria-hidden="true" />
      </IconButton>
    </>
  );
}

/**
 * Messages that owners of peers left: opening one marks it as read.
 *
 * @module web/pages/network/messages
 */
import { A } from '@solidjs/router';
import Trash from 'lucide-solid/icons/trash';
import { createSignal, For, Show } from 'solid-js';
import { announce } from '../../app/announce.tsx';
import { peerPath } from '../../app/pages.ts';
import { Confirm } from '../../base/confirm.tsx';
import { createDeed } from '../../base/deed.ts';
import { ErrorNote } from '../../base/error-note.tsx';
import { IconButton } from '../../base/icon-button.tsx';
import { count, moment, t } from '../../i18n/index.ts';
import { type Message, markRead, network, remove, shortPeer } from './swarm.ts';
import { Outbox, Write } from './write.tsx';

export function Messages() {
  const unread = () => network.view?.unread ?? 0;
  return (
    <section class="messages">
      <h2>{t('network.messages')}</h2>
      <p class="sub">
        {unread() === 0 ? t('network.unreadNone') : t('network.unreadMany', { count: count(unread()) })}
      </p>
      <Inbox messages={network.inbox} />
      <h3>{t('network.write')}</h3>
      <Write />
      <Outbox />
    </section>
  );
}

export function Inbox(props: { readonly messages: readonly Message[] }) {
  return (
    <Show when={props.messages.length > 0} fallback={<p class="nothing">{t('network.inboxNone')}</p>}>
      <ul class="inbox" aria-label={t('network.inbox')}>
        <For each={props.messages}>{(message) => <Row message={message} />}</For>
      </ul>
    </Show>
  );
}

function Row(props: { readonly message: Message }) {
  const [removing, setRemoving] = createSignal(false);
  const deed = createDeed();
  const message = () => props.message;
  const opened = (open: boolean) => {
    if (open && !message().read) void deed.run(() => markRead(message().id));
  };
  return (
    <li classList={{ unread: !message().read }}>
      <details onToggle={(event) => opened(event.currentTarget.open)}>
        <summary>
          <span class="from">
            <span class="dot" classList={{ live: !message().read }} />
            <bdi>{shortPeer(message().from)}</bdi>
            <Show when={!message().read}>
              <span class="fresh">{t('network.fresh')}</span>
            </Show>
            <bdi class="when">{moment(message().receivedAt)}</bdi>
          </span>
          <span class="first-line" dir="auto">
            {message().text.trimStart().split('\n', 1)[0]}
          </span>
        </summary>
        <p class="text" dir="auto">
          {message().text}
        </p>
        <div class="message-acts">
          <A class="text-button" href={peerPath(message().from)}>
            {t('network.answer')}
          </A>
          <IconButton label={t('network.removeMessage')} onClick={() => setRemoving(true)}>
            <Trash size={16} aria-hidden="true" />
          </IconButton>
        </div>
        <Show when={deed.fault()}>{(fault) => <ErrorNote fault={fault()} />}</Show>
      </details>
      <Show when={removing()}>
        <Confirm
          title={t('network.removeTitle')}
          act={t('network.remove')}
          run={async () => {
            await remove(message().id);
            announce(t('network.removed'));
          }}
          close={() => setRemoving(false)}
        >
          <p>{t('network.removeMore', { peer: shortPeer(message().from) })}</p>
        </Confirm>
      </Show>
    </li>
  );
}

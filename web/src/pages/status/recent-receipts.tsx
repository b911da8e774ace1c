/**
 * Receipts of the latest answers that this browser holds.
 *
 * @module web/pages/status/recent-receipts
 */
import { createResource, For, Show } from 'solid-js';
import { conversationPath } from '../../app/pages.ts';
import { placeWords } from '../../chat/place-chip.tsx';
import { conversations, openConversations, threadOf } from '../../data/conversations.ts';
import { originOf, speedOf } from '../../data/origin.ts';
import { count, moment, rate, t } from '../../i18n/index.ts';

const looked = 8;
const shown = 10;

export function RecentReceipts() {
  const [rows] = createResource(
    () =>
      conversations()
        ?.slice(0, looked)
        .map(({ id }) => id) ?? null,
    async (ids) => {
      await openConversations();
      const threads = await Promise.all(ids.map((id) => threadOf(id)));
      return threads
        .flatMap(({ id, turns }) => turns.map((turn) => ({ id, turn })))
        .filter(({ turn }) => turn.answer.receipt !== null)
        .sort((a, b) => b.turn.asked - a.turn.asked)
        .slice(0, shown);
    },
  );
  return (
    <section>
      <h2 id="receipts">{t('status.receipts')}</h2>
      <Show
        when={(rows.latest?.length ?? 0) > 0}
        fallback={<p class="nothing">{t('status.receiptsNone')}</p>}
      >
        <section class="table-box" tabindex="0" aria-labelledby="receipts">
          <table class="figure-table">
            <thead>
              <tr>
                <th scope="col">{t('status.question')}</th>
                <th scope="col">{t('receipt.model')}</th>
                <th scope="col">{t('receipt.asked')}</th>
                <th scope="col">{t('status.tokens')}</th>
                <th scope="col" class="end">
                  {t('status.speed')}
                </th>
              </tr>
            </thead>
            <tbody>
              <For each={rows.latest}>
                {({ id, turn }) => (
                  <tr>
                    <th scope="row" class="clip">
                      <a href={conversationPath(id)} dir="auto">
                        {turn.question}
                      </a>
                      <span class="more">{placeWords(originOf(turn.answer))}</span>
                    </th>
                    <td>{turn.answer.receipt!.model}</td>
                    <td>
                      <bdi>{moment(turn.asked)}</bdi>
                    </td>
                    <td>{turn.answer.usage ? count(turn.answer.usage.completion_tokens) : '–'}</td>
                    <td class="end">
                      <Show when={speedOf(turn.answer)} fallback="–">
                        {(speed) => <bdi>{t('place.rate', { rate: rate(speed()) })}</bdi>}
                      </Show>
                    </td>
                  </tr>
                )}
              </For>
            </tbody>
          </table>
        </section>
      </Show>
    </section>
  );
}

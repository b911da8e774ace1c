/**
 * Where an answer was made, under each answer: shape, words and colour all say it. It opens the receipt.
 *
 * @module web/chat/place-chip
 */
import { Show } from 'solid-js';
import { openPanel } from '../app/ui.ts';
import { HereGlyph, UnknownGlyph } from '../base/icons.tsx';
import type { Answer } from '../data/archive.ts';
import { rate, t } from '../i18n/index.ts';

/** The backend of this machine's own engine, as receipts name it. */
const localBackend = 'local';

export function placeOf(answer: Answer): 'local' | 'unknown' {
  return (answer.receipt?.backend ?? answer.backend) === localBackend ? 'local' : 'unknown';
}

/** Tokens per second of decoding: the first token's time belongs to reading the question. Null = unknown. */
export function speedOf({ receipt, usage }: Answer): number | null {
  if (!receipt?.decode_ms || !usage || usage.completion_tokens < 2) return null;
  return ((usage.completion_tokens - 1) / receipt.decode_ms) * 1000;
}

export function PlaceChip(props: { readonly turn: string; readonly answer: Answer }) {
  const place = () => placeOf(props.answer);
  return (
    <button
      type="button"
      class="place-chip"
      classList={{ unknown: place() === 'unknown' }}
      title={t('place.open', { place: t(`place.${place()}`) })}
      onClick={() => openPanel({ kind: 'receipt', turn: props.turn })}
    >
      <Show when={place() === 'local'} fallback={<UnknownGlyph />}>
        <HereGlyph />
      </Show>
      {t(`place.${place()}`)}
      <Show when={speedOf(props.answer)}>
        {(speed) => <bdi class="rate figures">{t('place.rate', { rate: rate(speed()) })}</bdi>}
      </Show>
    </button>
  );
}

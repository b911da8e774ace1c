/**
 * Where an answer came from, under each answer: shape, words and colour all say it. It opens the receipt.
 *
 * @module web/chat/place-chip
 */
import { Match, Show, Switch } from 'solid-js';
import { openPanel } from '../app/ui.ts';
import { HereGlyph, KeptGlyph, LinkedGlyph, OutsideGlyph, SheetGlyph, UnknownGlyph } from '../base/icons.tsx';
import type { Answer } from '../data/archive.ts';
import { type Origin, type OriginKind, originOf, speedOf } from '../data/origin.ts';
import { age, rate, t } from '../i18n/index.ts';

/** Colour of each origin: pine is this machine, dusk is not, straw wants a second look. */
const TONE: Readonly<Record<OriginKind, 'here' | 'out' | 'kept' | 'care' | 'dim'>> = {
  local: 'here',
  here: 'here',
  owned: 'out',
  peer: 'out',
  provider: 'out',
  elsewhere: 'out',
  kept: 'kept',
  shared: 'kept',
  similar: 'care',
  stale: 'care',
  search: 'care',
  stand_in: 'care',
  unknown: 'dim',
};

/** Two or three words. */
export function placeWords({ kind, backend, ageMs }: Origin): string {
  if (kind === 'owned' || kind === 'peer' || kind === 'provider' || kind === 'elsewhere')
    return t('place.from', { backend: backend ?? t('app.unknown') });
  if (kind === 'here') return t('place.here', { backend: backend ?? t('app.unknown') });
  if ((kind === 'kept' || kind === 'similar' || kind === 'stale') && ageMs !== null)
    return t(`place.aged.${kind}`, { age: age(ageMs) });
  return t(`place.${kind}`);
}

export function PlaceGlyph(props: { readonly kind: OriginKind }) {
  const is = (...kinds: readonly OriginKind[]) => kinds.includes(props.kind);
  return (
    <Switch fallback={<UnknownGlyph />}>
      <Match when={is('local', 'here')}>
        <HereGlyph />
      </Match>
      <Match when={is('owned', 'peer')}>
        <LinkedGlyph />
      </Match>
      <Match when={is('provider', 'elsewhere')}>
        <OutsideGlyph />
      </Match>
      <Match when={is('kept', 'shared', 'similar', 'stale')}>
        <KeptGlyph />
      </Match>
      <Match when={is('search', 'stand_in')}>
        <SheetGlyph />
      </Match>
    </Switch>
  );
}

export function PlaceChip(props: { readonly turn: string; readonly answer: Answer }) {
  const origin = () => originOf(props.answer);
  const words = () => placeWords(origin());
  return (
    <button
      type="button"
      class={`place-chip ${TONE[origin().kind]}`}
      title={t('place.open', { place: words() })}
      onClick={() => openPanel({ kind: 'receipt', turn: props.turn })}
    >
      <PlaceGlyph kind={origin().kind} />
      <span class="words">{words()}</span>
      <Show when={speedOf(props.answer)}>
        {(speed) => <bdi class="rate figures">{t('place.rate', { rate: rate(speed()) })}</bdi>}
      </Show>
    </button>
  );
}

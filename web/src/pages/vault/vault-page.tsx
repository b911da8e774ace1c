/**
 * The vault: what of mine lies with peers, what of theirs lies here, and what an Eve learns.
 *
 * @module web/pages/vault
 */
import { createEffect, Match, Switch } from 'solid-js';
import { Banner } from '../../app/banner.tsx';
import { unlocked } from '../../data/owner.ts';
import { count, size, t } from '../../i18n/index.ts';
import { followKbs } from '../knowledge/kbs.ts';
import { Locked } from '../knowledge/locked.tsx';
import { Learns } from './learns.tsx';
import { Lend } from './lend.tsx';
import { Mine } from './placed-list.tsx';
import { Restore } from './restore.tsx';
import { followVault, vault } from './vault-state.ts';
import { v } from './words.ts';
import '../pages.css';
import './vault.css';

const COMMANDS = 'kith vpk tenant list\nkith vpk discover\nkith storage status';

export default function VaultPage() {
  followKbs();
  followVault();
  createEffect(() => {
    document.title = `${t('pages.vault')} · Kith`;
  });
  const isLooked = () =>
    (vault.placed !== null || vault.placedFault !== null) &&
    (vault.storage !== null || vault.storageFault !== null);
  return (
    <div class="page vault">
      <Banner />
      <div class="page-body">
        <Switch fallback={<h1 class="lede">{v('looking')}</h1>}>
          <Match when={!unlocked()}>
            <Locked open="kith open vault" commands={COMMANDS} />
          </Match>
          <Match when={isLooked()}>
            <Lede />
            <Mine />
            <Lend />
            <Restore />
            <Learns />
          </Match>
        </Switch>
      </div>
    </div>
  );
}

function Lede() {
  const mine = () => {
    const { placed } = vault;
    if (placed === null) return v('lede.away');
    if (placed.length === 0) return v('lede.none');
    return placed.length === 1 ? v('lede.one') : v('lede.many', { count: count(placed.length) });
  };
  const state = () => {
    const placed = vault.placed ?? [];
    if (placed.length === 0) return '';
    const never = placed.find(({ synced }) => synced === null);
    if (never !== undefined) return v('lede.never', { kb: never.kb });
    const changed = placed.filter(({ stale }) => stale === true);
    if (changed.length === 1) return v('lede.staleOne', { kb: changed[0]!.kb });
    if (changed.length > 1) return v('lede.stale', { count: count(changed.length) });
    return placed.length === 1 ? v('lede.fine') : v('lede.fineAll');
  };
  const lent = () => {
    const { storage } = vault;
    if (storage === null || !storage.enabled) return v('lede.lendsNot');
    return storage.tenants.length === 0
      ? v('lede.lendsNobody')
      : v('lede.lends', { size: size(storage.usedBytes) });
  };
  return (
    <h1 class="lede">
      {mine()}{' '}
      <span class="then">
        {state()} {lent()}
      </span>
    </h1>
  );
}

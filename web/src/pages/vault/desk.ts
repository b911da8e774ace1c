/**
 * The vault as the page asks for it, for the owner alone: what lies with peers (`/api/rag`), and the space that this node lends
 * (`/kith/v1/storage`).
 *
 * @module web/pages/vault/desk
 */
import type { JobView } from '../../../../src/server/rag/types.ts';
import type {
  GivenVaultGrantView,
  VaultGrantOrder,
  VaultGrantView,
} from '../../../../src/server/rag/vault-grant-types.ts';
import type {
  ChangeOrder,
  CheckView,
  EveView,
  FoundKb,
  PlacedInfo,
  PlacedSearchView,
  PlacedView,
  PlaceOrder,
} from '../../../../src/server/rag/vault-types.ts';
import type { StorageView, TenantView } from '../../../../src/server/storage/types.ts';
import { asOwner } from '../../data/owner.ts';

export type {
  ChangeOrder,
  CheckView,
  EveView,
  FoundKb,
  JobView,
  PlacedInfo,
  PlacedSearchView,
  PlacedView,
  PlaceOrder,
  StorageView,
  TenantView,
  VaultGrantView,
};
export type PlacedTenant = PlacedInfo['tenants'][number];
export type Mode = PlacedView['mode'];

const rag = '/api/rag';
const of = (kb: string, rest = '') => `${rag}/kbs/${encodeURIComponent(kb)}/vault${rest}`;

export const placed = async () =>
  (await asOwner<{ placed: readonly PlacedView[] }>('GET', `${rag}/vault`)).placed;
/** Asks each Eve: one that is away takes seconds. */
export const info = (kb: string) => asOwner<PlacedInfo>('GET', of(kb));
/** @param peers whom to ask; none: those that announce that they lend space */
export const discover = async (peers: readonly string[]) =>
  (await asOwner<{ eves: readonly EveView[] }>('POST', `${rag}/vault/discover`, { peers })).eves;
export const place = (kb: string, order: PlaceOrder) => asOwner<JobView>('POST', of(kb), order);
export const upload = (kb: string) => asOwner<JobView>('POST', of(kb, '/sync'));
export const repair = (kb: string) => asOwner<JobView>('POST', of(kb, '/repair'));
export const check = (kb: string) => asOwner<CheckView>('POST', of(kb, '/check'), {});
export const change = (kb: string, order: Partial<ChangeOrder>) =>
  asOwner<JobView>('POST', of(kb, '/eves'), order);
export const remove = (kb: string) =>
  asOwner<{ readonly gone: readonly string[]; readonly left: readonly string[] }>('DELETE', of(kb));
export const search = (kb: string, query: string) =>
  asOwner<PlacedSearchView>('POST', of(kb, '/search'), { query });

export const given = async (kb: string) =>
  (await asOwner<{ grants: readonly VaultGrantView[] }>('GET', of(kb, '/grants'))).grants;
export const give = (kb: string, order: VaultGrantOrder) =>
  asOwner<GivenVaultGrantView>('POST', of(kb, '/grants'), order);
export const revoke = (kb: string, id: string) =>
  asOwner<VaultGrantView>('DELETE', of(kb, `/grants/${encodeURIComponent(id)}`));
/** All is sealed anew, under other keys. */
export const rotate = (kb: string) => asOwner<JobView>('POST', of(kb, '/rotate'));

export const find = async (peers: readonly string[]) =>
  (await asOwner<{ found: readonly FoundKb[] }>('POST', `${rag}/vault/find`, { peers })).found;
export const restore = (kb: string, source: string, eves: readonly string[]) =>
  asOwner<JobView>('POST', `${rag}/vault/restore/${encodeURIComponent(kb)}`, { source, eves });

const tenant = (owner: string, label: string, rest = '') =>
  `/kith/v1/storage/tenants/${encodeURIComponent(owner)}/${encodeURIComponent(label)}${rest}`;

export const storage = () => asOwner<StorageView>('GET', '/kith/v1/storage');
export const destroyTenant = (owner: string, label: string) => asOwner('DELETE', tenant(owner, label));
export const backupTenant = (owner: string, label: string, file: string) =>
  asOwner<{ readonly file: string; readonly bytes: number }>('POST', tenant(owner, label, '/backup'), {
    file,
  });

/**
 * Bringing the status list of a credential up to date before it is verified.
 *
 * @module identity/status/learn
 */
import { isKithError } from '../../base/index.ts';
import type { CredentialFields } from '../credentials/schema.ts';
import type { SeenLists } from '../wallet/seen-lists.ts';

/** Gets the wire bytes of a list; throws when it cannot. */
export type FetchList = (url: string) => Promise<Uint8Array>;

/**
 * Fetches the list that `fields` names when it lies under an https URL and a newer one is worth a look. The whole list
 * is asked for, so its host does not learn which credential is of interest. Returns why it was not learned, or null.
 */
export async function learnStatus(
  { status, issuer }: Pick<CredentialFields, 'status' | 'issuer'>,
  lists: SeenLists,
  fetchList: FetchList,
): Promise<string | null> {
  if (status === null || !status.list.startsWith('https://') || !lists.isDue(issuer, status.list))
    return null;
  try {
    const fault = lists.take(await fetchList(status.list), { id: status.list, issuer });
    return fault === null ? null : `The status list ${status.list.slice(0, 200)} is not used. ${fault}`;
  } catch (error) {
    if (!isKithError(error)) throw error;
    return error.message;
  }
}

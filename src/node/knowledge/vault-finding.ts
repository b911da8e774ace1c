/**
 * What Eves keep of this key, told by them: for a machine that has nothing but the key.
 *
 * @module node/knowledge/vault-finding
 */
import { KithError, type Logger, messageOf } from '../../base/index.ts';
import type { FoundKb } from '../../server/index.ts';
import {
  ABOUT_HEAD,
  isSameMark,
  noteOf,
  openAbout,
  type PassphraseMark,
  tenantAt,
  tenantsAt,
} from '../../vault/index.ts';
import { ASK_MS, type VaultReach } from './vault-reach.ts';

/** Of one knowledge base: an Eve may show a former one. */
const MOST_MARKS = 4;

export interface Found extends FoundKb {
  /** Of its passphrase, as Eves show them; none: the identity alone opens it. */
  readonly marks: readonly PassphraseMark[];
}

export interface VaultFinding {
  /** @param asked Eves; none: those that announce that they lend space */
  find(asked: readonly string[], signal: AbortSignal): Promise<readonly Found[]>;
  /** @param source name or id @throws KithError `vault_not_found` */
  findOne(source: string, asked: readonly string[], signal: AbortSignal): Promise<Found>;
}

export function createVaultFinding({ need, askOf }: VaultReach, log: Logger): VaultFinding {
  async function find(asked: readonly string[], signal: AbortSignal): Promise<readonly Found[]> {
    const { peers, root: own } = need();
    const found = new Map<string, Found & { at: string[]; marks: PassphraseMark[]; passphrase: boolean }>();
    await Promise.all(
      (asked.length > 0 ? asked : peers.lending().map(({ peer }) => peer)).map(async (peer) => {
        const tenants = await tenantsAt(askOf(peer, ASK_MS), signal).catch((error: unknown) => {
          // Who was named is to answer.
          if (asked.length > 0) throw error;
          return [];
        });
        for (const { label } of tenants)
          try {
            const row = await tenantAt(peer, label, askOf(peer, ASK_MS)).head(ABOUT_HEAD, signal);
            if (row === null) continue;
            const { id, name, mode, replicas, eves, passphrase: mark } = openAbout(own, label, row.bytes);
            const known = found.get(id) ?? {
              ...{ id, name, mode, ...noteOf(mode), replicas, eves, at: [], marks: [], passphrase: false },
            };
            known.at.push(peer);
            found.set(id, known);
            if (mark === null || known.marks.length === MOST_MARKS) continue;
            known.passphrase = true;
            if (!known.marks.some((other) => isSameMark(other, mark))) known.marks.push(mark);
          } catch (error) {
            log.warn('A tenant does not tell what it is about.', { peer, cause: messageOf(error) });
          }
      }),
    );
    return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  return {
    find,
    async findOne(source, asked, signal) {
      const found = (await find(asked, signal)).filter((one) => one.name === source || one.id === source);
      if (found.length === 1) return found[0]!;
      throw new KithError(
        'vault_not_found',
        found.length === 0
          ? `None of these Eves has a knowledge base ${JSON.stringify(source)} of this key. kith vpk resolve lists those there are.`
          : `There are ${found.length} of the name ${JSON.stringify(source)}. Name one by its id: ${found.map(({ id }) => id).join(', ')}`,
        { status: 404 },
      );
    },
  };
}

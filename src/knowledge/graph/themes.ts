/**
 * What a knowledge base is about as a whole: communities of its weightiest names, each with the passages that speak of it.
 *
 * @module knowledge/graph/themes
 */
import { communitiesOf, tellingOf } from './communities.ts';
import { isDate } from './dates.ts';
import type { Network } from './network.ts';
import { isNational } from './type-words.ts';

export interface Theme {
  /** Forms of names that tell it from the others, the most telling first. */
  readonly names: readonly string[];
  /** Those that name more of it than of any other theme, the most telling first. */
  readonly passages: readonly Passage[];
}

export interface Passage {
  readonly row: number;
  /** 0 to 1: how much of what the passage names is of the theme, less where that is a single name. */
  readonly share: number;
}

/**
 * Names that are divided. Of 20,000 it takes seconds (`bench/results/2026-11-22-knowledge.md`), and what a whole is about is said by the
 * weightiest.
 */
const MOST_NAMES = 3000;
/** Names that are told of a theme. */
const MOST_TOLD = 8;

const made = new WeakMap<Network, Promise<readonly Theme[]>>();

/** Those with the most passages first; none has only one. Made once for each version of the network. */
export function themesOf(network: Network): Promise<readonly Theme[]> {
  let themes = made.get(network);
  if (themes === undefined) {
    themes = make(network);
    made.set(network, themes);
    themes.catch(() => made.delete(network));
  }
  return themes;
}

async function make(network: Network): Promise<Theme[]> {
  const communities = await communitiesOf(network, {
    most: MOST_NAMES,
    leaves: (form) => isDate(form) || isNational(form),
  });
  const passages: Passage[][] = communities.members.map(() => []);
  const { start, to, weight } = network.fromChunks;
  for (let chunk = 0; chunk < network.rows.length; chunk++) {
    const shares = new Map<number, { share: number; names: number }>();
    for (let i = start[chunk]!; i < start[chunk + 1]!; i++) {
      const community = communities.of(to[i]!);
      if (community === null) continue;
      const before = shares.get(community) ?? { share: 0, names: 0 };
      shares.set(community, { share: before.share + weight[i]!, names: before.names + 1 });
    }
    let best = -1;
    for (const [community, { share }] of shares) {
      const most = shares.get(best)?.share ?? 0;
      if (share > most || (share === most && community < best)) best = community;
    }
    const mine = shares.get(best);
    if (mine !== undefined)
      passages[best]!.push({
        row: network.rows[chunk]!,
        share: (mine.share * mine.names) / (1 + mine.names),
      });
  }
  return communities.members
    .map((members, at) => ({
      names: tellingOf(network, members, MOST_TOLD).map((entity) => network.nameOf(entity)),
      passages: passages[at]!.sort((a, b) => b.share - a.share || a.row - b.row),
    }))
    .filter(({ passages: all }) => all.length > 1)
    .sort((a, b) => b.passages.length - a.passages.length);
}

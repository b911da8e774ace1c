/** All attacks that the score is held to. @module trust/simulation/attacks */
import { COMMUNITY_ATTACKS } from './communities.ts';
import { conductAttacks } from './conduct.ts';
import { CREDENTIAL_ATTACKS } from './credentials.ts';
import type { Attack } from './finding.ts';

/** `runs` of each case that is left to chance. */
export const attacks = (runs: number): readonly Attack[] => [
  ...COMMUNITY_ATTACKS,
  ...CREDENTIAL_ATTACKS,
  ...conductAttacks(runs),
];

/**
 * Challenges that this node gave out as a verifier. They are stored, so that none can be used twice even over a crash.
 *
 * @module identity/wallet/challenges
 */
import { type Clock, type Database, LimitError, type Random } from '../../base/index.ts';
import { type Challenges, PRESENTATION_MAX_MS } from '../credentials/present.ts';

/** How long a challenge can be answered: a presentation is good for as long. */
export const CHALLENGE_LIFETIME_MS = PRESENTATION_MAX_MS;
const MAX_OPEN = 10_000;

export function createChallenges(database: Database, clock: Clock, random: Random): Challenges {
  const add = database.prepare<never, [string, number]>(
    'INSERT INTO challenges (challenge, expires_at) VALUES (?, ?)',
  );
  const remove = database.prepare<never, [string, number, number]>(
    'DELETE FROM challenges WHERE challenge = ? AND expires_at > ? AND expires_at <= ?',
  );
  const prune = database.prepare<never, [number, number]>(
    'DELETE FROM challenges WHERE expires_at <= ? OR expires_at > ?',
  );
  const count = database.prepare<{ n: number }>('SELECT count(*) AS n FROM challenges');
  return {
    issue() {
      const challenge = Buffer.from(random.bytes(32)).toString('base64url');
      return database.transaction(() => {
        const now = clock.now();
        // What lies further ahead than any challenge lives was made by a clock that was wrong.
        prune.run(now, now + CHALLENGE_LIFETIME_MS);
        if (count.get()!.n >= MAX_OPEN) {
          throw new LimitError(
            'credentials.challenges',
            MAX_OPEN,
            `${MAX_OPEN} challenges wait for an answer. Ask again in some minutes.`,
            { retryAfter: CHALLENGE_LIFETIME_MS / 1000 },
          );
        }
        add.run(challenge, now + CHALLENGE_LIFETIME_MS);
        return challenge;
      });
    },
    take(challenge) {
      const now = clock.now();
      return remove.run(challenge, now, now + CHALLENGE_LIFETIME_MS).changes === 1;
    },
  };
}

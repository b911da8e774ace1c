/**
 * Whether an announcement that came from anywhere may be believed to be its peer's newest word.
 *
 * Cheap checks come first, so that rubbish costs no arithmetic on curves: size, form, whose it is, time, sequence; then
 * the signature; then how often its peer speaks. An expired or replayed record is therefore called that even when it is
 * forged as well. The rate of a peer counts signed records only: nobody else can use it up. Forgeries count against the
 * neighbour who passed them on.
 *
 * @module swarm/records/verify
 */
import { aheadText, type Clock, isKithError } from '../../base/index.ts';
import { publicKeyOfPeerId, verify } from '../../identity/index.ts';
import { Allowance } from './allowance.ts';
import { ANNOUNCEMENT_MAX_BYTES, parseAnnouncement } from './announcement.ts';
import { type Envelope, parseEnvelope } from './envelope.ts';
import type { Sequence, Sequences } from './sequences.ts';
import type { Announcement, Refusal } from './types.ts';

/** How far another clock may be ahead of this one, ms. One that is behind has the life of its records as its leeway. */
export const MAX_SKEW_MS = 120_000;
/** Signed records of one peer. Nodes send one a minute for each of 16 models at most, and up to 24 more on change. */
const RECORDS_PER_MINUTE = 60;
/** Signatures that proved false, by the neighbour who passed them on. */
const FORGERIES_PER_MINUTE = 30;

/** How a record came here; what is not known is left out. */
export interface Origin {
  /** PeerId of who published it, authenticated: it must be the record's own. */
  readonly author?: string;
  /** PeerId of the neighbour who passed it on, authenticated. */
  readonly sender?: string;
}

export type Checked =
  | { readonly ok: true; readonly announcement: Announcement; readonly bytes: Uint8Array }
  | {
      readonly ok: false;
      readonly refusal: Refusal;
      readonly reason: string;
      /** Set for `replayed`: what it says, though nobody checked who signed it. */
      readonly announcement?: Announcement;
    };

export interface VerifierOptions {
  readonly clock: Clock;
  /** Read only: whoever keeps an accepted record sets its number, `sequenceOf`. */
  readonly sequences: Pick<Sequences, 'last'>;
}

export interface Verifier {
  /** Never throws. */
  check(bytes: Uint8Array, origin?: Origin): Checked;
}

export function createVerifier(options: VerifierOptions): Verifier {
  const { clock, sequences } = options;
  const records = new Allowance({ clock, perMinute: RECORDS_PER_MINUTE });
  const forgeries = new Allowance({ clock, perMinute: FORGERIES_PER_MINUTE, names: 1024 });

  function check(bytes: Uint8Array, origin: Origin = {}): Checked {
    if (bytes.length > ANNOUNCEMENT_MAX_BYTES) {
      return refused('oversized', `It has ${bytes.length} bytes; ${ANNOUNCEMENT_MAX_BYTES} are allowed.`);
    }
    let envelope: Envelope;
    let one: Announcement;
    try {
      envelope = parseEnvelope(bytes, ANNOUNCEMENT_MAX_BYTES);
      one = parseAnnouncement(envelope.body);
    } catch (error) {
      if (isKithError(error)) return refused('malformed', error.message);
      throw error;
    }
    const { peer } = one;
    if (origin.author !== undefined && origin.author !== peer) {
      return refused('wrong_peer', `${origin.author} published a record of ${peer}.`);
    }
    const now = clock.now();
    if (one.exp <= now) return refused('expired', `It was valid until ${timeText(one.exp)}.`);
    // `exp` is bound to `seq`, so this bounds both.
    if (one.seq > now + MAX_SKEW_MS) {
      return refused(
        'too_far_ahead',
        `It says it was made at ${timeText(one.seq)}, ${aheadText(one.seq, now)}.`,
      );
    }
    const last = sequences.last(peer, one.model?.hash ?? '');
    if (one.seq <= last) {
      const reason = `Its number ${one.seq} is not above ${last}.`;
      return { ok: false, refusal: 'replayed', reason, announcement: one };
    }
    if (origin.sender !== undefined && !forgeries.has(origin.sender)) {
      return refused('rate', `${origin.sender} passed on too many forged records.`);
    }
    if (!verify(publicKeyOfPeerId(peer), 'announcement', envelope.body, envelope.signature)) {
      if (origin.sender !== undefined) forgeries.take(origin.sender);
      return refused('bad_signature', `It was not signed by ${peer}.`);
    }
    if (!records.take(peer)) {
      return refused('rate', `${peer} sent more than ${RECORDS_PER_MINUTE} records in a minute.`);
    }
    return { ok: true, announcement: one, bytes };
  }
  return { check };
}

export function sequenceOf(one: Announcement): Sequence {
  return { peer: one.peer, model: one.model?.hash ?? '', seq: one.seq, gone: one.state === 'offline' };
}

function refused(refusal: Refusal, reason: string): Checked {
  return { ok: false, refusal, reason };
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

/**
 * Fields of messages between peers.
 *
 * @module gateway/peers/fields
 */
import { type CborValue, Fields as FieldsOf, InputError } from '../../base/index.ts';

export { isMap } from '../../base/index.ts';

/** What a peer sent does not have the form of the protocol. */
export function malformed(what: string): InputError {
  return new InputError('peer_malformed', `The peer's message does not follow the protocol: ${what}.`);
}

/** @throws InputError `peer_malformed` */
export class Fields extends FieldsOf {
  /** `what`: how faults call the map. */
  constructor(map: CborValue | undefined, what: string) {
    super(map, what, malformed);
  }
}

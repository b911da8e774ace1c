/**
 * Where announcements travel: gossip topics and provider keys, version 1.
 *
 * | Name                  | Carries                                                                          |
 * | --------------------- | -------------------------------------------------------------------------------- |
 * | `kith/ann/1`          | peers about themselves; who serves a whole model; farewells                        |
 * | `kith/ann/1/<sha256>` | all about one model (hex SHA-256 of the GGUF), and farewells of peers              |
 *
 * The provider key of a model is the SHA-256 of `kith/model/1/<sha256>`.
 *
 * @module swarm/discovery/topics
 */
import { createHash } from 'node:crypto';
import type { Announcement } from '../records/types.ts';

export const GENERAL_TOPIC = 'kith/ann/1';

export function topicOf(model: string | null): string {
  return model === null ? GENERAL_TOPIC : `${GENERAL_TOPIC}/${model}`;
}

export function providerKeyOf(model: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(`kith/model/1/${model}`).digest());
}

/** The topics that an announcement is published on. `models`: those that its peer announced, for a farewell. */
export function topicsOf(one: Announcement, models: Iterable<string>): string[] {
  if (one.model === null) {
    const farewell = one.state === 'offline';
    return [GENERAL_TOPIC, ...(farewell ? [...models].map((model) => topicOf(model)) : [])];
  }
  return [topicOf(one.model.hash), ...(isOfGeneralInterest(one) ? [GENERAL_TOPIC] : [])];
}

/** Whether an announcement may be on a topic. */
export function belongsOn(topic: string, one: Announcement): boolean {
  if (one.model === null) return topic === GENERAL_TOPIC || one.state === 'offline';
  return topic === topicOf(one.model.hash) || (topic === GENERAL_TOPIC && isOfGeneralInterest(one));
}

/** Who serves blocks is of interest only to those who look for that model. */
function isOfGeneralInterest(one: Announcement): boolean {
  return one.state === 'offline' || one.serves.includes('chat') || one.serves.includes('embeddings');
}

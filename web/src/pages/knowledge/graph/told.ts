/**
 * What was fetched, without a wait: reading a resource that is on its way takes the page around it away until it is here.
 *
 * @module web/pages/knowledge/graph/told
 */
import type { Resource } from 'solid-js';

/** The last that came; undefined before, and when it failed. */
export const told = <T>(resource: Resource<T>): T | undefined =>
  resource.state === 'ready' || resource.state === 'refreshing' ? resource.latest : undefined;

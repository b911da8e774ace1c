/**
 * Knowledge bases that peers may search: grants, the call, the part that a grant shows, and one ranking of several.
 *
 * @module knowledge/share
 */
export { type FoundPlace, type FusedHit, fuseSources, type SourceHits } from './fuse.ts';
export {
  GRANT_BOUNDS,
  GRANT_RIGHTS,
  type Grant,
  type GrantFilter,
  type GrantRight,
  type GrantTerms,
  grantText,
  readGrant,
  readGrantText,
  signGrant,
} from './grant.ts';
export { createScope, SCOPE_CHUNKS, type Scope } from './scope.ts';
export {
  decodeAnswer,
  decodeGrants,
  decodeReply,
  decodeRequest,
  encodeAnswer,
  encodeGrants,
  encodeReply,
  encodeRequest,
  RAG_BOUNDS,
  RAG_METHOD,
  RAG_MODES,
  type RagAnswer,
  type RagEvidence,
  type RagFilter,
  type RagHit,
  type RagMode,
  type RagQuestion,
  type RagReply,
  type RagRequest,
} from './wire.ts';

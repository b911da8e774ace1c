/**
 * The vault room: keeping on the disks of others what they cannot read, and lending space to others.
 *
 * In: objects and vectors of an owner, keys, ways to ask Eves. Out: the same objects, from any machine with the key; or, as an
 * Eve, answers to calls of `/kith/vault/1`. It never knows what an object means, and never sends one anywhere but to the Eves
 * it is given.
 *
 * @module vault
 */
export * from './adapters/index.ts';
export { BLOCK_MAX_BYTES } from './block.ts';
export { ABOUT_HEAD, type About, MAX_EVES, openAbout, sealAbout } from './collection/about.ts';
export {
  type Collection,
  createCollection,
  type KeptBlocks,
  type RestoreOptions,
} from './collection/collection.ts';
export type { Manifest } from './collection/manifest-view.ts';
export type { EverywherePutter } from './collection/put.ts';
export type {
  CheckReport,
  CollectionOptions,
  Named,
  ObjectSource,
  RepairReport,
  SyncOptions,
  SyncReport,
} from './collection/types.ts';
export { type Coder, createCoder } from './compact/coder.ts';
export {
  COMPACT_DIMENSIONS,
  COMPACT_FROM,
  type CodeFit,
  codeBytes,
  decodeVector,
  lowered,
} from './compact/codes.ts';
export {
  CODES_OBJECTS,
  COMPACT_BOUNDS,
  COMPACT_OBJECTS,
  codesName,
  decodeFit,
  decodeGroups,
  decodePiece,
  encodeFit,
  encodeGroups,
  encodePiece,
  FIT_OBJECT,
  GROUPS_OBJECT,
  type Group,
  type KeptFit,
} from './compact/objects.ts';
export {
  createEve,
  type Eve as LocalEve,
  type EveAccount,
  type EveReply,
  type LentTenant,
} from './eve/eve.ts';
export {
  readVaultGrant,
  signVaultGrant,
  VAULT_RIGHTS,
  type VaultGrant,
  type VaultRight,
} from './eve/grant.ts';
export {
  createEveHost,
  type EveCounters,
  type EveHost,
  type EveHostOptions,
  type EveTotals,
} from './eve/host.ts';
export { GRANT_TEXT_CHARS, openGrantFile, sealGrantFile, type VaultAccess } from './grant/grant-file.ts';
export type { CollectionKeys, KeyRing, ReadingKeys } from './keys/keys.ts';
export {
  readingKeys,
  ringOf,
  rootOf,
  rootOfIdentity,
  type VaultRoot,
} from './keys/keys.ts';
export {
  isSameMark,
  newPassphraseSecret,
  PASSPHRASE_CHARS,
  type PassphraseMark,
  type PassphraseSecret,
  passphraseSecretOf,
} from './keys/passphrase.ts';
export { type ModeNote, noteOf } from './mode-notes.ts';
export { buildPerturbed } from './perturbed/build.ts';
export { checkPerturbedDimension, rowBytesOf as perturbedRowBytes } from './perturbed/form.ts';
export {
  decodePerturbedIndex,
  encodePerturbedIndex,
  PERTURBED_INDEX,
  PERTURBED_OBJECTS,
  type PerturbedIndex,
} from './perturbed/index-file.ts';
export { NOISE, WEAK_LABEL, WEAK_WARNING } from './perturbed/parameters.ts';
export { createPerturber } from './perturbed/sap.ts';
export { createPerturbedSearcher } from './perturbed/search.ts';
export type { KeptReads } from './place/kept.ts';
export type { EveFault, PlacedEve } from './place/reader.ts';
export { type Place, placesFor } from './place/rendezvous.ts';
export { isSignedHead, VAULT_MODES, type VaultMode } from './seal/manifest.ts';
export { digestOf, type Entry } from './seal/segment.ts';
export { buildSplit, checkDimension, type SplitItem, type SplitSource } from './split/build.ts';
export { coloursOf } from './split/colours.ts';
export { decodeIndex, encodeIndex, type SplitIndex } from './split/index-file.ts';
export { indexObjects, readIndex, SPLIT_OBJECTS } from './split/index-objects.ts';
export { REVIEW_WARNING } from './split/parameters.ts';
export {
  type Colours,
  createSplitSearcher,
  type SplitHit,
  type SplitSearcher,
  type SplitTimes,
} from './split/search.ts';
export * from './types.ts';
export { fitProjection, type Projection, project } from './vectors/pca.ts';
export { type EveTerms, VAULT_METHOD, VAULT_WIRE } from './wire/messages.ts';
export { type AskEve, type OwnTenant, tenantAt, tenantsAt, termsOf } from './wire/tenant.ts';

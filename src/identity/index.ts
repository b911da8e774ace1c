/**
 * The identity room: the node's key and its names, credentials, wallet and status lists.
 *
 * @module identity
 */
export { type IssuedCredential, type IssueOptions, issueCredential } from './credentials/issue.ts';
export {
  CREDENTIAL_KINDS,
  type CredentialKind,
  INTERACTION_STEPS,
  interactionStep,
  kindOf,
} from './credentials/kinds.ts';
export {
  type Challenges,
  credentialsIn,
  PRESENTATION_MAX_BYTES,
  PRESENTATION_MAX_CREDENTIALS,
  type PresentationVerification,
  presentCredentials,
  verifyPresentation,
} from './credentials/present.ts';
export { type CredentialFormat, readCredential } from './credentials/read.ts';
export { type CredentialRequest, readRequest, requestCredential } from './credentials/request.ts';
export type { CredentialFields, StatusReference } from './credentials/schema.ts';
export {
  type CredentialVerifier,
  createCredentialVerifier,
  expiresAt,
  type StatusAnswer,
  type StatusSource,
  type Verification,
  type VerifyRequest,
} from './credentials/verify.ts';
export { fromBase64url, toBase64url } from './key/base64url.ts';
export { type ImportedKey, type ImportKeyOptions, importKey, protectKey } from './key/change.ts';
export { didDocument } from './key/did-document.ts';
export { identityFolder, keyFilePath, openIdentityFolder, writeNewSecret } from './key/folder.ts';
export { type KeyFile, looksLikeKeyFile, readKeyFile, writeKeyFile } from './key/key-file.ts';
export {
  checkedPublicKey,
  didOf,
  didOfPeerId,
  didOfVerificationMethod,
  didPeerOf,
  multikeyOf,
  peerIdCidOf,
  peerIdOf,
  peerIdOfDid,
  publicKeyOf,
  publicKeyOfDid,
  publicKeyOfPeerId,
  verificationMethodOf,
} from './key/names.ts';
export {
  PASSPHRASE_CREDENTIAL,
  passphraseFrom,
  readPassphraseFd,
  readPassphraseFile,
} from './key/passphrase.ts';
export {
  KEY_MAX_BYTES,
  PRIVATE_FORMS,
  type PrivateForm,
  readPrivateKey,
  writePrivateKey,
} from './key/private-forms.ts';
export { SEALED_TO_BYTES, type SealingUse, sealTo } from './key/seal-to.ts';
export { checkNewPassphrase } from './key/sealed.ts';
export { createIdentity, verify, verifyJws, verifyProof } from './key/sign.ts';
export { type StatementReader, statementReader } from './key/statement.ts';
export {
  type AskPassphrase,
  createKey,
  type OpenedIdentity,
  type OpenIdentityOptions,
  readKey,
  requireKey,
} from './key/store.ts';
export { openIdentity } from './open.ts';
export { CREDENTIAL_MAX_BYTES } from './proof/document.ts';
export {
  parseHandOvers,
  type Rotated,
  readHandOvers,
  rotateKey,
  writeHandOverList,
} from './rotation/rotate.ts';
export { HAND_OVER_MAX_BYTES, type HandOver, readHandOver, signHandOver } from './rotation/statement.ts';
export {
  type Conflict,
  conflictsAmong,
  requireChain,
  type Succession,
  successionOf,
} from './rotation/succession.ts';
export { fetchStatusList } from './status/fetch.ts';
export { type FetchList, learnStatus } from './status/learn.ts';
export { readStatusList, STATUS_CREDENTIAL_MAX_BYTES } from './status/list.ts';
export { publishStatusLists, type WrittenList } from './status/publish.ts';
export * from './types.ts';
export { type HeldCredential, MAX_SHOWN, type QuarantinedCredential } from './wallet/held.ts';
export {
  FOR_CAUSE,
  type GivenEndorsement,
  type IssuedRow,
  type IssueFromWallet,
  type PublishedList,
} from './wallet/issued.ts';
export type { OtherCredential, Others } from './wallet/others.ts';
export type { RequestRow } from './wallet/requests.ts';
export type { SeenLists } from './wallet/seen-lists.ts';
export { openWallet, type Wallet, type WalletOptions, walletPath } from './wallet/wallet.ts';

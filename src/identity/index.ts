/**
 * The identity room: the node's key and its names, credentials, wallet and status lists.
 *
 * @module identity
 */
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
export { createIdentity, verify, verifyJws, verifyProof } from './key/sign.ts';
export * from './types.ts';

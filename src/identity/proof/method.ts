/**
 * Verification methods: `did:key:z6Mk…#z6Mk…` and the Ed25519 key it names. They are resolved here, from their own text.
 *
 * @module identity/proof/method
 */
import { isKithError } from '../../base/index.ts';
import { didOfVerificationMethod, publicKeyOfDid } from '../key/names.ts';

export interface Method {
  /** The DID whose key it is: `did:key:z6Mk…`. */
  readonly controller: string;
  /** 32 bytes, not of low order. */
  readonly publicKey: Uint8Array;
}

/** The key that a verification method names, or what is wrong with it. */
export function readMethod(method: string): Method | { readonly fault: string } {
  try {
    const controller = didOfVerificationMethod(method);
    return { controller, publicKey: publicKeyOfDid(controller) };
  } catch (error) {
    if (!isKithError(error)) throw error;
    return {
      fault:
        error.code === 'public_key_weak'
          ? 'Its key is a point of low order, under which anybody can sign.'
          : 'Its verification method is not a did:key with its own key as fragment.',
    };
  }
}

/** Whether this is the `did:key` of an Ed25519 key that can be held to what it signs. */
export function isDidKey(did: string): boolean {
  return did.startsWith('did:key:') && !('fault' in readMethod(`${did}#${did.slice('did:key:'.length)}`));
}

/**
 * Another implementation of `eddsa-jcs-2022`, Digital Bazaar's, as an oracle: it signs and verifies the same documents.
 *
 * @module identity/testing/digitalbazaar
 */
type Json = { readonly [key: string]: unknown };
interface Suite {
  createProof(options: unknown): Promise<Json>;
  verifyProof(options: unknown): Promise<{ verified: boolean; error?: unknown }>;
}
interface KeyPair {
  readonly publicKeyMultibase: string;
  signer(): unknown;
}

/** The packages have no types; what is used of them stands above. */
async function load<T>(name: string): Promise<T> {
  return (await import(name)) as T;
}
const { DataIntegrityProof } = await load<{ DataIntegrityProof: new (options: unknown) => Suite }>(
  '@digitalbazaar/data-integrity',
);
const suites = await load<{ createSignCryptosuite(): unknown; createVerifyCryptosuite(): unknown }>(
  '@digitalbazaar/eddsa-jcs-2022-cryptosuite',
);
const keys = await load<{
  generate(options: unknown): Promise<KeyPair & { id: string; controller: string }>;
}>('@digitalbazaar/ed25519-multikey');

const documentLoader = async (url: string) => ({
  document: {
    '@context': 'https://w3id.org/security/multikey/v1',
    id: url,
    type: 'Multikey',
    controller: url.split('#')[0],
    publicKeyMultibase: url.split('#')[1],
  },
});

/** `document` with a proof by the key of `seed` (32 bytes). */
export async function proveElsewhere(document: Json, seed: Uint8Array, date: string): Promise<Json> {
  const bare = await keys.generate({ seed });
  const controller = `did:key:${bare.publicKeyMultibase}`;
  const key = await keys.generate({ seed, id: `${controller}#${bare.publicKeyMultibase}`, controller });
  const suite = new DataIntegrityProof({
    signer: key.signer(),
    date,
    cryptosuite: suites.createSignCryptosuite(),
  });
  const purpose = { update: async (proof: Json) => ({ ...proof, proofPurpose: 'assertionMethod' }) };
  const proof = await suite.createProof({ document: structuredClone(document), purpose, documentLoader });
  return { ...document, proof };
}

/** Whether the proof of `document` holds. */
export async function verifyElsewhere(document: Json): Promise<boolean> {
  const { proof, ...unsecured } = structuredClone(document);
  const suite = new DataIntegrityProof({ cryptosuite: suites.createVerifyCryptosuite() });
  const { verified } = await suite.verifyProof({ proof, document: unsecured, documentLoader });
  return verified;
}

/**
 * Raised when the bytes of converted models change, so that caches of them are made anew. A test with the sha256 of
 * known conversions fails when this was forgotten.
 *
 * @module models/import/version
 */
export const CONVERTER_VERSION = 2;

/** The compact serialization of a signed token (RFC 7515 §7.1), by its form alone: three parts of base64url, none empty. */
export const COMPACT_JWS = /^[\w-]+\.[\w-]+\.[\w-]+$/;

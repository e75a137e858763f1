/**
 * Reads a token without believing it. It is read once, here: what routes the token, what is checked and what is used are
 * the same object, so no second parser can see other claims in it (repeated JSON keys: the last one counts).
 */
import { isObject, type JsonObject } from './json-object.js';
import { Refused } from './refused.js';

export interface Unverified {
  text: string;
  header: JsonObject;
  claims: JsonObject;
}

// Before any decoder: those forgive padding, line breaks and more, and each variant would be another "valid" token.
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function readToken(text: string): Unverified {
  if (!COMPACT.test(text)) throw new Refused('is not a signed JWT in compact form');
  const [header, claims] = text.split('.').map(decodeSegment);
  return { text, header: parseObject(header), claims: parseObject(claims) };
}

function decodeSegment(segment: string): Buffer {
  const bytes = Buffer.from(segment, 'base64url');
  // The unused bits of the last character can be anything: only one spelling is the token.
  if (bytes.toString('base64url') !== segment) throw new Refused('is not encoded as base64url');
  return bytes;
}

function parseObject(bytes: Buffer | undefined): JsonObject {
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes));
    if (isObject(value)) return value;
  } catch {
    // The parser's message quotes the token: it goes nowhere.
  }
  throw new Refused('does not hold two JSON objects');
}

/** The inline policy of a new session: its two size limits, and its grammar. */
import { deflateRawSync } from 'node:zlib';
import { AwsError, validationError } from './aws-error.js';
import { parsePolicy, type Permission } from './policy-document.js';
import type { SessionPolicy } from './session.js';
import type { SessionTags } from './session-tags.js';

const PLAINTEXT_MAX = 2_048;
/** A stand-in for the packed size, so that tests can meet its refusal. AWS documents neither the packing nor the limit. */
const PACKED_BYTES_MAX = 2_048;

export function readSessionPolicy(text: string | undefined): SessionPolicy | undefined {
  if (text === undefined) return undefined;
  if (text.length > PLAINTEXT_MAX)
    throw validationError(`Value at 'policy' failed to satisfy constraint: length at most ${PLAINTEXT_MAX}`);
  return { text, statements: parseText(text).statements };
}

export function parseText(text: string): { document: unknown; statements: readonly Permission[] } {
  try {
    const document: unknown = JSON.parse(text);
    return { document, statements: parsePolicy(document) };
  } catch (error) {
    throw new AwsError('MalformedPolicyDocument', `This policy is not understood: ${String(error)}`);
  }
}

/** The packed size in percent of the limit, rounded up. */
export function packedPercent(policy: SessionPolicy | undefined, tags: SessionTags): number {
  const packed = deflateRawSync(JSON.stringify([policy?.text, [...tags.values]])).length;
  const percent = Math.ceil((100 * packed) / PACKED_BYTES_MAX);
  if (percent > 100) throw new AwsError('PackedPolicyTooLarge', `Packed policy consumes ${percent}% of allotted space`);
  return percent;
}

/** Keys of the index tables, as bytes that sort the way `range` answers: by index, then score, then member. */

const SCORE_BYTES = 8;
/** Above every score, which are below 2^53. */
const NO_SCORE = Number.MAX_SAFE_INTEGER + 1;

/** NUL ends the name of an index, so that no name is the beginning of another. */
export const memberKey = (index: string, member: string): Buffer => Buffer.from(`${index}\0${member}`);

export function rankKey(index: string, score: number, member = ''): Buffer {
  const number = Buffer.alloc(SCORE_BYTES);
  number.writeBigUInt64BE(BigInt(Math.min(Math.max(Math.ceil(score), 0), NO_SCORE)));
  return Buffer.concat([Buffer.from(`${index}\0`), number, Buffer.from(member)]);
}

/** Where the scores above `score` begin. */
export const rankAbove = (index: string, score = NO_SCORE): Buffer => rankKey(index, Math.floor(score) + 1);

export function readRankKey(index: string, key: Buffer): [member: string, score: number] {
  const at = Buffer.byteLength(index) + 1;
  return [key.subarray(at + SCORE_BYTES).toString(), Number(key.readBigUInt64BE(at))];
}

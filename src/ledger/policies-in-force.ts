/**
 * By which policies each broker on this store decides, so that one with others is noticed. An index lists what each has said: its
 * name and the digest of its policies → when it said so.
 */
import { policiesInForceIndex } from './keys.js';
import type { Ledger } from './ledger.js';

/** Whoever has said nothing for so long is gone. It is far longer than the pause between two entries of a broker. */
const GONE_AFTER_MS = 60_000;
/** Far more brokers than share a store. */
const LISTED_AT_MOST = 256;

/** Enters that this broker decides by these policies. Returns the digests of those by which others decide, each once. */
export async function enterPolicies(ledger: Ledger, node: string, digest: string): Promise<string[]> {
  const now = ledger.clock.unchecked();
  const own = memberOf(node, digest);
  const listed = await ledger.records.range(policiesInForceIndex, { limit: LISTED_AT_MOST });
  const isOver = ([member, at]: [string, number]) => isOf(node, member) || Math.abs(now - at) > GONE_AFTER_MS;
  const over = listed.filter(isOver).flatMap(([member]) => (member === own ? [] : [member]));
  await ledger.records.commit({
    index: [[policiesInForceIndex, own, now]],
    unindex: over.map((member) => [policiesInForceIndex, member]),
  });
  const digests = listed.flatMap((one) => (isOver(one) ? [] : [digestIn(one[0])]));
  return [...new Set(digests)].filter((other) => other !== digest).sort();
}

/** Takes this broker off the list: it decides nothing any more. */
export async function leavePolicies({ records }: Pick<Ledger, 'records'>, node: string): Promise<void> {
  const listed = await records.range(policiesInForceIndex, { limit: LISTED_AT_MOST });
  const own = listed.flatMap(([member]) => (isOf(node, member) ? [member] : []));
  await records.commit({ unindex: own.map((member) => [policiesInForceIndex, member]) });
}

const memberOf = (node: string, digest: string): string => `${node} ${digest}`;
const isOf = (node: string, member: string): boolean => member.startsWith(`${node} `);
const digestIn = (member: string): string => member.slice(member.indexOf(' ') + 1);

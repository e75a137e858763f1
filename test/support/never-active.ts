/** A token that is dead, and must stay dead whatever happens to the store. */
import { expect } from '@jest/globals';
import type { BrokerProcess } from './brokers/process.js';

export const DEAD = { active: false };

interface Asked {
  broker: Pick<BrokerProcess, 'introspect'>;
  /** The identity token of a resource server. */
  api: string;
}

/** Introspects again and again until the change is over: the token is never once active. */
export async function expectNeverActive(
  { broker, api }: Asked,
  token: string,
  change: Promise<unknown>,
): Promise<void> {
  let over = false;
  const changed = change.finally(() => (over = true));
  do {
    const { status, body } = await broker.introspect(token, api);
    if (status !== 503) expect(body).toEqual(DEAD);
  } while (!over as boolean);
  await changed;
}

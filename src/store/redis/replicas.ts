/** Writes that replicas must have before they are answered for. */
import { StoreUnavailable } from '../store.js';
import { unavailable, type Client } from './client.js';
import { asked, run, type Script } from './script.js';

/** Returns the script's answer once as many replicas as are needed have what it wrote. Rejects where they do not in time. */
export type Replicated = (
  script: Script,
  names: readonly string[],
  args: readonly (string | number)[],
  /** Returns how many the log itself needs. Where it is more than expected, the script is run again, so it must be repeatable. */
  needed?: (answer: unknown) => number,
) => Promise<unknown>;

interface Replicas {
  /** How many replicas the configuration wants. */
  replicas: number;
  /** Where it wants any, a connection of its own: WAIT blocks every command behind it. */
  patient: Client;
}

const WITHIN_MS = 1_000;

export function replicatedBy({ replicas, patient }: Replicas): Replicated {
  let expected = replicas;
  return async (script, names, args, needed = () => 0) => {
    for (;;) {
      const awaited = expected;
      const [answer, have] = await (awaited === 0 ? unawaited : awaiting)(patient, script, names, args, awaited);
      expected = Math.max(replicas, needed(answer));
      if (have >= expected) return answer;
      if (replicas === 0)
        throw new StoreUnavailable('written, but redis.replicas is 0, and other brokers wait for replicas');
      if (awaited >= expected) throw new StoreUnavailable('written, but too few replicas have it');
    }
  };
}

type Attempt = (
  client: Client,
  script: Script,
  names: readonly string[],
  args: readonly (string | number)[],
  replicas: number,
) => Promise<[answer: unknown, have: number]>;

const unawaited: Attempt = async (client, script, names, args) => [await run(client, script, names, args), 0];

/** Writes and waits in one pipeline: WAIT counts the replicas of what its own connection wrote, on its own node of a cluster. */
const awaiting: Attempt = async (client, { text }, names, args, replicas) => {
  const pipeline = client.pipeline().eval(text, names.length, ...names, ...args);
  const [written, waited] = (await asked(pipeline.wait(replicas, WITHIN_MS).exec())) ?? [];
  if (!written || written[0]) throw unavailable(written?.[0]);
  return [written[1], Number(waited?.[1] ?? 0)];
};

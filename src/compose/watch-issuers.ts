/** Looks at the keys of all issuers and transmitters again and again, for readiness to tell what is wrong with them. */
import type { NamedKeys } from '../identity/issuer-keys.js';
import { sentenceOf } from '../telemetry/safe-error.js';

export interface IssuerWatch {
  look(): Promise<void>;
  /** What is wrong, by whose keys they are, as of the latest look; in the order of the configuration. */
  troubles: ReadonlyMap<string, string>;
}

export function watchIssuers(issuers: readonly NamedKeys[]): IssuerWatch {
  const troubles = new Map<string, string>();
  return {
    troubles,
    async look() {
      const found = await Promise.all(issuers.map(async ({ name, look }) => [name, await look()] as const));
      troubles.clear();
      for (const [name, trouble] of found) if (trouble !== undefined) troubles.set(name, sentenceOf(trouble));
    },
  };
}

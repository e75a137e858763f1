/** Looks at the keys of all issuers again and again, for readiness to tell what is wrong with them. */
import type { TrustedKeys } from '../identity/issuer-keys.js';
import { sentenceOf } from '../telemetry/safe-error.js';

export interface IssuerWatch {
  look(): Promise<void>;
  /** What is wrong, by the names of the trust entries, as of the latest look. */
  troubles: ReadonlyMap<string, string>;
}

export function watchIssuers(issuers: readonly Pick<TrustedKeys, 'name' | 'look'>[]): IssuerWatch {
  const troubles = new Map<string, string>();
  return {
    troubles,
    async look() {
      const lookAt = async ({ name, look }: (typeof issuers)[number]) => {
        const trouble = await look();
        if (trouble === undefined) troubles.delete(name);
        else troubles.set(name, sentenceOf(trouble));
      };
      await Promise.all(issuers.map(lookAt));
    },
  };
}

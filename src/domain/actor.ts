/** Who acts. A workload is `spiffe://…` or `<trust name>:<sub>`; a person is always `<trust name>:<sub>`. */
import { z } from 'zod';

export const partyRefSchema = z.strictObject({
  kind: z.enum(['workload', 'person']),
  id: z.string(),
  /** The trust name whose word this rests on. */
  issuer: z.string(),
  /** The team that answers for a workload. */
  owner: z.string().optional(),
});

/** A party as records remember it. */
export type PartyRef = z.infer<typeof partyRefSchema>;

/** A party as just proven, with the claims the operator named in `trust[].claims`. */
export interface Party extends PartyRef {
  /** Tag name (the claim as configured) to its value as text. */
  claims: Readonly<Record<string, string>>;
  groups: readonly string[];
}

export const refOf = ({ kind, id, issuer, owner }: PartyRef): PartyRef => ({
  kind,
  id,
  issuer,
  ...(owner !== undefined && { owner }),
});

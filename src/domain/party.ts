/** Who acts. A workload is `spiffe://…` or `<trust name>:<sub>`; a person is always `<trust name>:<sub>`. */
import { defined } from './defined.js';
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

/** A person as the record of a task remembers them, with what their own token said, if it was ever presented. */
export const rememberedPersonSchema = partyRefSchema.extend({
  claims: z.record(z.string(), z.string()).optional(),
  groups: z.array(z.string()).readonly().optional(),
});

export type RememberedPerson = z.infer<typeof rememberedPersonSchema>;

/** A party as just proven, with the claims the operator named in `trust[].claims`. */
export interface Party extends PartyRef {
  /** Tag name (the claim as configured) to its value as text. */
  claims: Readonly<Record<string, string>>;
  groups: readonly string[];
}

/** A person as whoever has this address, as the value of a `principal` selector: what signals about people often name. */
export const emailValue = (trustName: string, address: string): string => `email:${trustName}/${address.toLowerCase()}`;

export const refOf = ({ kind, id, issuer, owner }: PartyRef): PartyRef => defined({ kind, id, issuer, owner });

export const rememberedPerson = (person: Party): RememberedPerson => ({
  ...refOf(person),
  ...(Object.keys(person.claims).length > 0 && { claims: person.claims }),
  ...(person.groups.length > 0 && { groups: person.groups }),
});

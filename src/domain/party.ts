/**
 * Parties: workloads and persons. The id of a workload is `spiffe://…` or `<trust name>:<claims>`, where the trust entry says
 * which claims (`trust[].workload`, usually `sub`); that of a person is `<trust name>:<sub>`.
 */
import { z } from 'zod';
import { defined } from './defined.js';

export const partyRefSchema = z.strictObject({
  kind: z.enum(['workload', 'person']),
  id: z.string(),
  /** The trust name of the issuer that vouches for the party. */
  issuer: z.string(),
  /** The team that is responsible for a workload. */
  owner: z.string().optional(),
  /**
   * `<trust name>:<sub>` of a workload whose id is not made of `sub`: one run of it, or one branch. Absent where it would say
   * the same as the id.
   */
  subject: z.string().optional(),
  /**
   * `<trust name>:<sid>` of a person: the login session that the token comes from (OpenID Connect Front-Channel Logout §3). Absent
   * where the token names none that can be revoked by name.
   */
  session: z.string().optional(),
});

/** A party as it is stored in records. */
export type PartyRef = z.infer<typeof partyRefSchema>;

/** Text, or the entries of a list. */
const claimsSchema = z.record(z.string(), z.union([z.string(), z.array(z.string()).readonly()]));

/** What policy may know of a party from its token: `trust[].claims`. */
export const knownClaimsSchema = z.object({
  /** By the name of the claim as configured. */
  claims: claimsSchema.optional(),
  /** The claims among them that the token has, and that cannot be kept whole. */
  unread: z.array(z.string()).readonly().optional(),
});

export type KnownClaims = z.infer<typeof knownClaimsSchema>;

/** Values by their names, and the names of those that cannot be kept whole. */
export type Known = { [Name in keyof KnownClaims]-?: NonNullable<KnownClaims[Name]> };

/** What the one who asks about a use says of it, and nobody has verified: the `properties` of the three entities of AuthZEN, and its `context`. */
export type Given = Readonly<Record<'subject' | 'action' | 'resource' | 'context', Known>>;

/** A person as the record of a task stores them. Claims and groups come from their own token, if it was ever presented. */
export const rememberedPersonSchema = partyRefSchema.extend({
  ...knownClaimsSchema.shape,
  groups: z.array(z.string()).readonly().optional(),
});

export type RememberedPerson = z.infer<typeof rememberedPersonSchema>;

/** A party whose token was just verified, with the claims that the operator lists in `trust[].claims`. */
export interface Party extends PartyRef {
  claims: NonNullable<KnownClaims['claims']>;
  unread?: KnownClaims['unread'];
  groups: readonly string[];
  /**
   * What else the workload is called as an OAuth client, and nobody but it: by the configuration, or because it is the issuer of its
   * own tokens. Absent where it is called nothing else.
   */
  clientIds?: readonly string[];
  /** The run that a workload's token names (`trust[].run`); absent where it names none. It is said by nobody but the token. */
  run?: string;
}

/** Returns the value of a `principal` selector for whoever has this e-mail address. Signals about people often name only that. */
export const emailValue = (trustName: string, address: string): string => `email:${trustName}/${address.toLowerCase()}`;

/** The address of whoever has one that could not be read from their token: it may be that of anybody. */
export const ANY_ADDRESS = '?';

/** Returns the e-mail addresses that a person's token says. */
export function addressesOf({
  kind,
  claims,
  unread = [],
}: Pick<RememberedPerson, 'kind' | 'claims' | 'unread'>): string[] {
  if (kind !== 'person') return [];
  const said = [claims?.['email'] ?? []].flat().map((address) => address.toLowerCase());
  return unread.includes('email') ? [...said, ANY_ADDRESS] : said;
}

/** Returns what every id begins with that this entry of `trust` can prove. */
export const prefixOf = (trust: { kind: 'oidc'; name: string } | { kind: 'spiffe'; trustDomain: string }): string =>
  trust.kind === 'spiffe' ? `spiffe://${trust.trustDomain}/` : `${trust.name}:`;

/** Returns whether a client that names itself so is this workload: also by the `sub` of its token (RFC 7521 §4.2). */
export const isClient = (party: Party, clientId: string): boolean =>
  isOnlyClient(party, clientId) || isSubject(party, clientId);

/** Returns whether its issuer calls it so (`sub`). */
export const isSubject = (party: Party, sub: string): boolean =>
  `${party.issuer}:${sub}` === (party.subject ?? party.id);

/**
 * The same, by a name that no other workload has: its id, or one of its `clientIds`. Two issuers may have a workload with the same
 * `sub`, so whoever speaks of a client by its `sub` may mean either.
 */
export const isOnlyClient = ({ id, clientIds = [] }: Party, clientId: string): boolean =>
  clientId === id || clientIds.includes(clientId);

/** Returns what the run of a token is called: the run, behind the trust name of the issuer that says it. */
export const runValue = (issuer: string, run: string): string => `${issuer}:${run}`;

/** Returns the value of the `run` selector for the run that a party's token names; undefined where it names none. */
export const runOf = ({ issuer, run }: Pick<Party, 'issuer' | 'run'>): string | undefined =>
  run === undefined ? undefined : runValue(issuer, run);

/** Returns whether both are one party, by the word of one issuer. */
export const isSame = (one: PartyRef | undefined, { kind, id, issuer }: PartyRef): boolean =>
  one?.kind === kind && one.id === id && one.issuer === issuer;

export const refOf = ({ kind, id, issuer, owner, subject, session }: PartyRef): PartyRef =>
  defined({ kind, id, issuer, owner, subject, session });

export const rememberedPerson = (person: Party): RememberedPerson => ({
  ...refOf(person),
  ...(Object.keys(person.claims).length > 0 && { claims: person.claims }),
  ...(person.unread && { unread: person.unread }),
  ...(person.groups.length > 0 && { groups: person.groups }),
});

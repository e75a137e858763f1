/**
 * Resolves the subject of a signal to selectors, within what its source may speak of. A subject that is not understood as a
 * whole resolves to nothing: an unknown member would have narrowed it, and leaving that member out would hit others.
 */
import { issuersOf, type Trust } from '../config/trust-schema.js';
import { isId } from '../domain/id.js';
import { isName } from '../domain/name.js';
import { emailValue, prefixOf } from '../domain/party.js';
import { distinct, isWellFormed, type Selector } from '../domain/selector.js';
import { NARROWING_MEMBERS, type NarrowingMember, type Signal } from '../domain/signal.js';
import type { Task } from '../domain/task.js';
import { subjectName } from '../identity/lasting-id.js';
import { canHitSomebody, hasSessions, hasSubjects } from '../identity/party-from-id.js';
import { findCredential } from '../ledger/credentials.js';
import type { Ledger } from '../ledger/ledger.js';
import { onlyPartyOf } from '../ledger/seen.js';
import { readTask } from '../ledger/tasks.js';
import { aliasesSchema, simpleSubject, subjectSchema, type SimpleSubject } from '../protocol/security-event.js';

interface SubjectDeps {
  ledger: Ledger;
  trust: readonly Trust[];
  /** The broker's own issuer: `jwt_id` can name its tokens only. */
  issuer: string;
}

/** The members of a complex subject (SSF 1.0 §3.2) that are understood here. All members given hold at the same time. */
const MEMBERS = new Set(['user', 'application', 'session', 'workload', 'task', 'credential', 'principal']);

interface Spoken {
  /** The trust names that the source may speak of. */
  about: readonly string[];
  event: Signal['event'];
  subject: unknown;
  /** The members that the source may name and that need not be known here. */
  ignoreMembers?: readonly NarrowingMember[];
}

/** Returns the selectors that all hold of the subject; empty when it is unknown here. */
export async function selectorsOf(
  { trust: all, ...deps }: SubjectDeps,
  { about, event, subject, ignoreMembers = [] }: Spoken,
): Promise<Selector[]> {
  const parsed = subjectSchema.safeParse(subject);
  if (!parsed.success) return [];
  const within = { ...deps, trust: all.filter(({ name }) => about.includes(name)) };
  const { format, ...members } = parsed.data;
  if (format !== 'complex') return [(await one(within, subject)) ?? (await sessionOf(within, subject)) ?? []].flat();
  // Whose session it was is enough, where nothing here is known to hang on it: otherwise all of it would live on.
  const passedOver: ReadonlySet<string> = new Set(event === 'session-revoked' ? NARROWING_MEMBERS : ignoreMembers);
  const found = await Promise.all(
    Object.entries(members).map(
      async ([name, member]) => (await memberOf(within, name, member)) ?? (passedOver.has(name) ? [] : undefined),
    ),
  );
  return found.includes(undefined) ? [] : distinct(found.flatMap((selector) => selector ?? []));
}

/** Returns undefined when the member is not understood, or is nobody here. */
async function memberOf(deps: SubjectDeps, name: string, member: unknown): Promise<Selector | undefined> {
  if (!MEMBERS.has(name)) return undefined;
  return (await one(deps, member)) ?? (name === 'session' ? sessionOf(deps, member) : undefined);
}

/**
 * Returns the session of a person that the issuer knows by this id, if tokens from it were used here lately, and only those of one
 * issuer that the source may speak of. Each issuer invents its own ids.
 */
async function sessionOf({ ledger, trust }: SubjectDeps, subject: unknown): Promise<Selector | undefined> {
  const simple = simpleSubject(subject);
  // Without the time nobody can say what is remembered. The session is then unknown, and the person is meant.
  if (simple?.format !== 'opaque' || !ledger.clock.isTrusted()) return undefined;
  const possible = trust
    .filter(hasSessions)
    .map((one) => ({ kind: 'session' as const, value: `${prefixOf(one)}${simple.id}` }))
    .filter((selector) => canHitSomebody(trust, selector));
  const persons = await Promise.all(possible.map((selector) => onlyPartyOf(ledger, selector)));
  const [known, ...more] = possible.filter((_, place) => persons[place] !== undefined);
  return more.length > 0 ? undefined : known;
}

/** Returns undefined when the subject is unknown. */
async function one(deps: SubjectDeps, subject: unknown): Promise<Selector | undefined> {
  const aliases = aliasesSchema.safeParse(subject);
  if (aliases.success) return oneOfAliases(deps, aliases.data.identifiers);
  return simpleOne(deps, subject);
}

async function simpleOne(deps: SubjectDeps, subject: unknown): Promise<Selector | undefined> {
  const simple = simpleSubject(subject);
  const selector = simple && (await selectorOf(deps, simple));
  return selector && isWellFormed(selector) && canHitSomebody(deps.trust, selector) ? selector : undefined;
}

/** Aliases name one subject: the first known alias resolves it. An address comes last, since it hits fewer tasks than an id. */
async function oneOfAliases(deps: SubjectDeps, names: readonly { format: string }[]): Promise<Selector | undefined> {
  const [addresses, others] = [names.filter(isAddress), names.filter((name) => !isAddress(name))];
  for (const name of [...others, ...addresses]) {
    const selector = await simpleOne(deps, name);
    if (selector) return selector;
  }
  return undefined;
}

const isAddress = ({ format }: { format: string }): boolean => format === 'email' || format === 'account';

async function selectorOf(deps: SubjectDeps, subject: SimpleSubject): Promise<Selector | undefined> {
  switch (subject.format) {
    case 'iss_sub':
      return partyOf(deps.trust, subject.iss, subject.sub);
    case 'uri':
      return spiffeId(deps.trust, subject.uri);
    case 'email':
      return personWith(deps.trust, subject.email);
    case 'account':
      return personWith(deps.trust, /^acct:(.+)$/i.exec(subject.uri)?.[1]);
    case 'opaque':
      return ownedOf(deps, subject.id);
    case 'jwt_id':
      return subject.iss === deps.issuer && isId('crd', subject.jti) ? ownedOf(deps, subject.jti) : undefined;
    default:
      return undefined;
  }
}

/** Returns undefined also for an issuer that stands under two trust names: the subject would be ambiguous. */
function partyOf(trust: readonly Trust[], issuer: string, sub: string): Selector | undefined {
  const [found, ...more] = trust.filter(
    (one) => one.kind === 'oidc' && issuersOf(one).some((source) => source.issuer === issuer),
  );
  if (found?.kind !== 'oidc' || more.length > 0) return undefined;
  const value = `${prefixOf(found)}${sub}`;
  if (found.represents === 'person') return { kind: 'principal', value };
  return hasSubjects(found) ? { kind: 'subject', value: subjectName(found, sub) } : { kind: 'workload', value };
}

function spiffeId(trust: readonly Trust[], uri: string): Selector | undefined {
  const isKnown = trust.some((one) => one.kind === 'spiffe' && uri.startsWith(prefixOf(one)));
  return isKnown ? { kind: 'workload', value: uri } : undefined;
}

/**
 * Returns the person with this address; undefined if nobody is known by it. An address resolves only where exactly one
 * issuer represents persons, and its tokens carry the `email` claim.
 */
function personWith(trust: readonly Trust[], address: string | undefined): Selector | undefined {
  const [issuer, ...more] = trust.filter((one) => one.kind === 'oidc' && one.represents === 'person');
  if (issuer?.kind !== 'oidc' || !issuer.claims.includes('email')) return undefined;
  // Before it is in lower case: some letters that are not of ASCII then are.
  if (more.length > 0 || address === undefined || !isName(address)) return undefined;
  return { kind: 'principal', value: emailValue(issuer.name, address) };
}

/** Returns the selector of a task or credential. To a source that may not speak of it, it is unknown. */
async function ownedOf({ ledger, trust }: SubjectDeps, id: string): Promise<Selector | undefined> {
  const mine = ({ workload, principal }: Task) =>
    trust.some(({ name }) => name === workload.issuer || name === principal?.issuer);
  if (isId('tsk', id)) {
    const stored = await readTask(ledger, id);
    return stored && mine(stored.value) ? { kind: 'task', value: id } : undefined;
  }
  const found = isId('crd', id) ? await findCredential(ledger, id) : undefined;
  return found && mine(found.task) ? { kind: 'credential', value: id } : undefined;
}

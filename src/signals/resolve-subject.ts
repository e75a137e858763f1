/**
 * Whom a signal speaks of, in the words of selectors. Only of those its source may speak of, and only what is understood
 * whole: a member that is not would have narrowed the subject, and leaving it out would hit others.
 */
import { prefixOf } from '../identity/party-from-id.js';
import type { Trust } from '../config/schema.js';
import { emailValue } from '../domain/party.js';
import { isId } from '../domain/id.js';
import { isWellFormed, type Selector } from '../domain/selector.js';
import type { Task } from '../domain/task.js';
import { findCredential } from '../ledger/credentials.js';
import type { Ledger } from '../ledger/ledger.js';
import { readTask } from '../ledger/tasks.js';
import { aliasesSchema, simpleSubject, subjectSchema, type SimpleSubject } from '../protocol/security-event.js';

interface SubjectDeps {
  ledger: Ledger;
  trust: readonly Trust[];
  /** The broker's own: whose tokens `jwt_id` can name. */
  issuer: string;
}

/** The members of a complex subject (SSF 1.0 §3.2) that are understood here. All that are given hold at once. */
const MEMBERS = new Set(['user', 'application', 'session', 'workload', 'task', 'credential', 'principal']);

/** @param about Trust names. Answers what holds of the subject, all of it at once; empty: nothing that is known here. */
export async function selectorsOf(deps: SubjectDeps, about: readonly string[], subject: unknown): Promise<Selector[]> {
  const parsed = subjectSchema.safeParse(subject);
  if (!parsed.success) return [];
  const trust = deps.trust.filter(({ name }) => about.includes(name));
  const { format, ...members } = parsed.data;
  if (format !== 'complex') return [(await one({ ...deps, trust }, subject)) ?? []].flat();
  if (Object.keys(members).some((member) => !MEMBERS.has(member))) return [];
  const found = await Promise.all(Object.values(members).map((member) => one({ ...deps, trust }, member)));
  return found.includes(undefined) ? [] : distinct(found.flatMap((selector) => selector ?? []));
}

/** Undefined: nobody known. */
async function one(deps: SubjectDeps, subject: unknown): Promise<Selector | undefined> {
  const aliases = aliasesSchema.safeParse(subject);
  if (aliases.success) return oneOfAliases(deps, aliases.data.identifiers);
  return simpleOne(deps, subject);
}

async function simpleOne(deps: SubjectDeps, subject: unknown): Promise<Selector | undefined> {
  const simple = simpleSubject(subject);
  const selector = simple && (await selectorOf(deps, simple));
  return selector && isWellFormed(selector) ? selector : undefined;
}

/** Names of one subject: the first that is known says who it is. An address only if no other does: it hits fewer. */
async function oneOfAliases(deps: SubjectDeps, names: readonly { format: string }[]): Promise<Selector | undefined> {
  const [addresses, others] = [names.filter(isAddress), names.filter((name) => !isAddress(name))];
  for (const name of [...others, ...addresses]) {
    const selector = await simpleOne(deps, name);
    if (selector) return selector;
  }
  return undefined;
}

const isAddress = ({ format }: { format: string }): boolean => format === 'email' || format === 'account';

const distinct = (selectors: Selector[]): Selector[] => [
  ...new Map(selectors.map((selector) => [`${selector.kind}:${selector.value}`, selector])).values(),
];

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
      return known(deps, subject.id);
    case 'jwt_id':
      return subject.iss === deps.issuer && isId('crd', subject.jti) ? known(deps, subject.jti) : undefined;
    default:
      return undefined;
  }
}

/** Of an issuer that stands under two names nobody can say whom it means. */
function partyOf(trust: readonly Trust[], issuer: string, sub: string): Selector | undefined {
  const [found, ...more] = trust.filter((one) => one.kind === 'oidc' && one.issuer === issuer);
  if (found?.kind !== 'oidc' || more.length > 0) return undefined;
  return { kind: found.represents === 'person' ? 'principal' : 'workload', value: `${prefixOf(found)}${sub}` };
}

function spiffeId(trust: readonly Trust[], uri: string): Selector | undefined {
  const isKnown = trust.some((one) => one.kind === 'spiffe' && uri.startsWith(prefixOf(one)));
  return isKnown ? { kind: 'workload', value: uri } : undefined;
}

/** An address is a person's of one issuer: with several it would say nothing about which. Known where it is remembered. */
function personWith(trust: readonly Trust[], address: string | undefined): Selector | undefined {
  const [issuer, ...more] = trust.filter((one) => one.kind === 'oidc' && one.represents === 'person');
  if (issuer?.kind !== 'oidc' || !issuer.claims.includes('email')) return undefined;
  if (more.length > 0 || address === undefined) return undefined;
  return { kind: 'principal', value: emailValue(issuer.name, address) };
}

/** Somebody else's task or credential is not known to this source. */
async function known({ ledger, trust }: SubjectDeps, id: string): Promise<Selector | undefined> {
  const mine = ({ workload, principal }: Task) =>
    trust.some(({ name }) => name === workload.issuer || name === principal?.issuer);
  if (isId('tsk', id)) {
    const stored = await readTask(ledger, id);
    return stored && mine(stored.value) ? { kind: 'task', value: id } : undefined;
  }
  const found = isId('crd', id) ? await findCredential(ledger, id) : undefined;
  return found && mine(found.task) ? { kind: 'credential', value: id } : undefined;
}

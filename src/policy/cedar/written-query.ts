/**
 * A query to policy as people write it, by the names of docs/policy.md. Whatever it names must be in the configuration and in the
 * schema: a test about something that is nowhere would say that all is well.
 */
import { z } from 'zod';
import type { ConfigPath } from '../../config/problem.js';
import { schemaFindings } from '../../config/validate.js';
import { pathProblem } from '../../domain/access.js';
import { defined } from '../../domain/defined.js';
import { didYouMean, nearNames } from '../../domain/near-names.js';
import type { Party, PartyRef } from '../../domain/party.js';
import { LEVELS } from '../../domain/signal.js';
import { taskSchema } from '../../domain/task.js';
import { membersOf } from '../../identity/claim-values.js';
import { partyFromId } from '../../identity/party-from-id.js';
import type { AccessContext, OperateContext, PolicyQuery, PolicyResource } from '../query.js';
import { literalProblem, splitResourceId, tagProblem, valueProblem, type Configured } from './fit.js';
import type { PolicySchema } from './schema.js';

const text = z.string().min(1);
const seconds = z.int().positive();
const facts = z.record(z.string(), z.unknown());
const ofAnybody = { claims: facts.optional(), unread: z.array(text).optional() };
const workloadSchema = z.strictObject({ workload: text, owner: text.optional(), ...ofAnybody });
const personSchema = z.strictObject({ person: text, groups: z.array(text).optional(), ...ofAnybody });

/** A party: its id, and what its token says. `claims` are values as a token has them, by the names in `trust[].claims`. */
export const partySchema = z.union([workloadSchema, personSchema]);
/** A text is the name of one of the parties that the file describes. */
const whoSchema = z.union([text, workloadSchema, personSchema]);

/** A request that waits for people: what is asked for, by whom, and the group that is wanted. */
const waitingSchema = z.strictObject({
  group: text,
  /** `<target>#<path>`. */
  of: text,
  actions: z.array(text).min(1),
  workload: whoSchema,
  onBehalfOf: whoSchema.optional(),
  purpose: text.default('a task'),
});

export const writtenQuerySchema = z.strictObject({
  principal: whoSchema,
  action: text,
  /** `<target>#<path>`, `<target>`, a task, an approval, or nothing where the action is on the broker. */
  resource: z
    .union([
      text,
      z.strictObject({ workload: whoSchema, purpose: text, openedBy: whoSchema.optional() }),
      waitingSchema,
    ])
    .optional(),
  context: facts.optional(),
});

type WrittenParty = z.infer<typeof partySchema>;
type Who = z.infer<typeof whoSchema>;
type WrittenQuery = z.infer<typeof writtenQuerySchema>;

const served = { onBehalfOf: whoSchema.optional(), principalProven: z.boolean().default(false) };
const lifetimeSeconds = seconds.default(300);

const delegation = {
  delegationDepth: z.int().min(0).default(0),
  delegatedBy: whoSchema.optional(),
  chain: z.array(whoSchema).default([]),
};

/** What is not written is as it mostly is: no person, no parent task, no risk. */
const accessSchema = z.strictObject({
  purpose: text.default('a task'),
  purposeFrom: taskSchema.shape.purposeFrom.default('agent'),
  lifetimeSeconds,
  ...served,
  openedBy: whoSchema.optional(),
  ...delegation,
  approvals: z.array(text).default([]),
  risk: z.enum(LEVELS).default('LOW'),
  given: z.partialRecord(z.enum(['subject', 'action', 'resource', 'context']), facts).optional(),
});
const openTaskSchema = z.strictObject({ lifetimeSeconds, ...served, ...delegation });
const revokeSchema = z.strictObject({ kind: text, value: text, effect: text, dryRun: z.boolean().default(false) });
const breakGlassSchema = z.strictObject({ own: z.boolean().default(false) });
const completeRunSchema = z.strictObject({ issuer: text, run: text, own: z.boolean() });

/** What a written query is held against, and where its mistakes go. */
export interface Reading {
  schema: PolicySchema;
  configured: Configured;
  /** Those that the file describes, by name. */
  parties: ReadonlyMap<string, Party>;
  note: (path: ConfigPath, reason: string | undefined) => void;
}

/** Returns the query with all that is not written; its value means nothing if a mistake was noted. */
export function readQuery(reading: Reading, written: WrittenQuery, at: ConfigPath): PolicyQuery {
  const { schema, note } = reading;
  const known = schema.actions.get(written.action);
  if (!known || known.resources.size === 0) {
    const names = [...schema.actions].filter(([, { resources }]) => resources.size > 0).map(([name]) => name);
    note([...at, 'action'], `is no action of the schema.${didYouMean(nearNames(written.action, names))}`);
  }
  const principal = partyOf(reading, written.principal, [...at, 'principal']);
  const resource = resourceOf(reading, written, known?.resources ?? new Set(), [...at, 'resource']);
  const context = known?.grantable
    ? accessContext(reading, written, [...at, 'context'])
    : operateContext(reading, written, [...at, 'context']);
  return { principal, action: written.action, resource, context };
}

/** Returns the party that is described, with what the configuration says of it. */
export function describedParty({ configured, note }: Reading, written: WrittenParty, at: ConfigPath): Party {
  const kind = 'workload' in written ? 'workload' : 'person';
  const id = 'workload' in written ? written.workload : written.person;
  const [owner, groups] = 'workload' in written ? [written.owner, []] : [undefined, written.groups ?? []];
  const { claims, unread } = membersOf(written.claims);
  const problem = literalProblem({ type: kind === 'workload' ? 'Workload' : 'Person', id }, configured);
  note([...at, kind], problem);
  if (owner !== undefined) note([...at, 'owner'], literalProblem({ type: 'Owner', id: owner }, configured));
  for (const [index, group] of groups.entries())
    note([...at, 'groups', index], literalProblem({ type: 'Group', id: group }, configured));
  for (const tag of Object.keys(written.claims ?? {}))
    note([...at, 'claims', tag], tagProblem({ holder: 'party', tag }, configured));
  const known: PartyRef = problem === undefined ? partyFromId(configured.trust, kind, id) : NOBODY;
  const named = defined({ ...known, owner: owner ?? known.owner });
  return { ...named, claims, unread: [...unread, ...(written.unread ?? [])], groups };
}

const NOBODY: Party = { kind: 'workload', id: '', issuer: '', claims: {}, groups: [] };

function partyOf(reading: Reading, who: Who, at: ConfigPath): Party {
  if (typeof who !== 'string') return describedParty(reading, who, at);
  const found = reading.parties.get(who);
  if (!found) reading.note(at, `is none of "parties".${didYouMean(nearNames(who, reading.parties.keys()))}`);
  return found ?? NOBODY;
}

const maybe = (reading: Reading, who: Who | undefined, at: ConfigPath): Party | undefined =>
  who === undefined ? undefined : partyOf(reading, who, at);

function resourceOf(
  reading: Reading,
  { resource: written, action }: WrittenQuery,
  types: ReadonlySet<string>,
  at: ConfigPath,
): PolicyResource {
  const { configured, note } = reading;
  if (types.has('Approval')) {
    if (typeof written === 'object' && 'group' in written) return approvalOf(reading, written, at);
    note(at, `is an approval, with "group", "of", "actions" and "workload": ${action} is about one`);
  } else if (types.has('Task')) {
    if (typeof written === 'object' && !('group' in written)) return taskOf(reading, written, at);
    note(at, `is a task, with "workload" and "purpose": ${action} is about one`);
  } else if (types.has('Broker')) {
    if (written !== undefined) note(at, `is not written for ${action}: it is about the broker`);
  } else if (typeof written !== 'string') {
    note(at, types.has('Target') ? 'is a target, such as https://tickets.example' : 'is written as <target>#<path>');
  } else {
    const [target, path] = splitResourceId(written);
    note(at, literalProblem({ type: 'Target', id: target }, configured));
    if (types.has('Target')) {
      if (path !== undefined) note(at, `is a target alone: ${action} is not about a path`);
      return { type: 'target', target };
    }
    note(at, path === undefined ? 'is written as <target>#<path>' : malformed(path));
    return { type: 'resource', target, path: path ?? '' };
  }
  return { type: 'broker' };
}

function malformed(path: string): string | undefined {
  const problem = pathProblem(path);
  return problem && `has a path that ${problem}`;
}

function taskOf(
  reading: Reading,
  { workload, purpose, openedBy }: Extract<WrittenQuery['resource'], { openedBy?: unknown }>,
  at: ConfigPath,
): PolicyResource {
  noteValue(reading, 'purpose', purpose, [...at, 'purpose']);
  const opener = maybe(reading, openedBy, [...at, 'openedBy']);
  const served = partyOf(reading, workload, [...at, 'workload']);
  return { type: 'task', task: defined({ workload: served, purpose, openedBy: opener }) };
}

function approvalOf(
  reading: Reading,
  { group, of, actions, workload, onBehalfOf, purpose }: z.infer<typeof waitingSchema>,
  at: ConfigPath,
): PolicyResource {
  const { configured, note } = reading;
  const [target, path] = splitResourceId(of);
  note([...at, 'of'], literalProblem({ type: 'Target', id: target }, configured));
  note([...at, 'of'], path === undefined ? 'is written as <target>#<path>' : malformed(path));
  note([...at, 'group'], literalProblem({ type: 'Group', id: group }, configured));
  noteValue(reading, 'purpose', purpose, [...at, 'purpose']);
  const asks = partyOf(reading, workload, [...at, 'workload']);
  const served = maybe(reading, onBehalfOf, [...at, 'onBehalfOf']);
  const access = [{ path: path ?? '', actions }];
  const approval = defined({ id: 'waiting', group, workload: asks, onBehalfOf: served, target, access, purpose });
  return { type: 'approval', approval };
}

function accessContext(reading: Reading, { context = {} }: WrittenQuery, at: ConfigPath): AccessContext {
  const read = parsed(reading, accessSchema, context, at);
  const { openedBy, given, ...rest } = read ?? accessSchema.parse({});
  noteValue(reading, 'purpose', rest.purpose, [...at, 'purpose']);
  const said = (of: keyof NonNullable<typeof given>) => membersOf(given?.[of]);
  return defined({
    kind: 'access' as const,
    ...rest,
    ...partiesOf(reading, rest, at),
    openedBy: maybe(reading, openedBy, [...at, 'openedBy']),
    given: given && {
      subject: said('subject'),
      action: said('action'),
      resource: said('resource'),
      context: said('context'),
    },
  });
}

/** Returns whom the task serves, and who stands above it. */
function partiesOf(
  reading: Reading,
  { onBehalfOf, delegatedBy, chain }: { onBehalfOf?: Who | undefined; delegatedBy?: Who | undefined; chain: Who[] },
  at: ConfigPath,
) {
  return {
    onBehalfOf: maybe(reading, onBehalfOf, [...at, 'onBehalfOf']),
    delegatedBy: maybe(reading, delegatedBy, [...at, 'delegatedBy']),
    chain: chain.map((who, index) => partyOf(reading, who, [...at, 'chain', index])),
  };
}

function operateContext(reading: Reading, { action, context = {} }: WrittenQuery, at: ConfigPath): OperateContext {
  const kind = 'operate';
  if (action === 'openTask') {
    const opening = parsed(reading, openTaskSchema, context, at) ?? openTaskSchema.parse({});
    return { kind, opening: defined({ ...opening, ...partiesOf(reading, opening, at) }) };
  }
  if (action === 'revoke') {
    const revocation = parsed(reading, revokeSchema, context, at);
    for (const name of ['kind', 'effect'] as const)
      if (revocation) noteValue(reading, name, revocation[name], [...at, name]);
    return defined({ kind, revocation });
  }
  if (action === 'completeRun') return defined({ kind, run: parsed(reading, completeRunSchema, context, at) });
  if (action === 'breakGlass') return defined({ kind, emergency: parsed(reading, breakGlassSchema, context, at) });
  parsed(reading, z.strictObject({}), context, at);
  return { kind };
}

/** A policy that compares the attribute with the text would be refused: so is a query that says it. */
function noteValue({ configured, note }: Reading, attribute: string, text: string, at: ConfigPath): void {
  note(at, valueProblem({ of: 'context', attribute, text, holdsFor: (value) => value === text }, configured));
}

function parsed<S extends z.ZodType>({ note }: Reading, schema: S, value: unknown, at: ConfigPath) {
  for (const { path, reason } of schemaFindings(schema, value)) note([...at, ...path], reason);
  const { data } = schema.safeParse(value);
  return data as z.infer<S> | undefined;
}

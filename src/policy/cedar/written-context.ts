/** The context of a written query, with all that is not written. */
import type { z } from 'zod';
import type { ConfigPath } from '../../config/problem.js';
import { schemaFindings } from '../../config/validate.js';
import { defined } from '../../domain/defined.js';
import { membersOf } from '../../identity/claim-values.js';
import type { AccessContext, OperateContext } from '../query.js';
import { valueProblem } from './fit.js';
import { maybePartyOf, partyOf } from './written-party.js';
import {
  accessSchema,
  breakGlassSchema,
  completeRunSchema,
  nothingSchema,
  openTaskSchema,
  revokeSchema,
  type Reading,
  type WrittenQuery,
} from './written-schema.js';

export function accessContext(reading: Reading, { context = {} }: WrittenQuery, at: ConfigPath): AccessContext {
  const read = parsed(reading, accessSchema, context, at);
  const { openedBy, given, ...rest } = read ?? accessSchema.parse({});
  noteValue(reading, 'purpose', rest.purpose, [...at, 'purpose']);
  const said = (of: keyof NonNullable<typeof given>) => membersOf(given?.[of]);
  return defined({
    kind: 'access' as const,
    ...rest,
    ...servedIn(reading, rest, at),
    ...delegationIn(reading, rest, at),
    openedBy: maybePartyOf(reading, openedBy, [...at, 'openedBy']),
    given: given && {
      subject: said('subject'),
      action: said('action'),
      resource: said('resource'),
      context: said('context'),
    },
  });
}

type Opening = z.infer<typeof openTaskSchema>;

/** Returns whom the task serves. A broker knows nothing but the name of whoever was merely named. */
function servedIn(
  reading: Reading,
  { onBehalfOf, principalProven }: Pick<Opening, 'onBehalfOf' | 'principalProven'>,
  at: ConfigPath,
) {
  const served = maybePartyOf(reading, onBehalfOf, [...at, 'onBehalfOf']);
  const said = served && [...served.groups, ...Object.keys(served.claims), ...(served.unread ?? [])];
  if (said && said.length > 0 && !principalProven)
    reading.note(
      [...at, 'onBehalfOf'],
      'has groups or claims, but principalProven is not true: who merely was named has none',
    );
  return { onBehalfOf: served };
}

/** Returns who stands above the task. In the questions of a broker `delegatedBy` is the first of `chain`, and each hop is a task above. */
function delegationIn(
  reading: Reading,
  written: Pick<Opening, 'delegatedBy' | 'chain' | 'delegationDepth'>,
  at: ConfigPath,
) {
  const nearest = maybePartyOf(reading, written.delegatedBy, [...at, 'delegatedBy']);
  const above = written.chain.map((who, index) => partyOf(reading, who, [...at, 'chain', index]));
  const chain = above.length === 0 && nearest ? [nearest] : above;
  if (nearest && nearest.id !== chain[0]?.id)
    reading.note([...at, 'delegatedBy'], 'is not the first of "chain", in which the nearest stands first');
  const { delegationDepth = chain.length } = written;
  if (delegationDepth < chain.length)
    reading.note([...at, 'delegationDepth'], `is less than ${chain.length}: each of "chain" has a task above this one`);
  return { delegationDepth, delegatedBy: chain[0], chain };
}

export function operateContext(
  reading: Reading,
  { action, context = {} }: WrittenQuery,
  at: ConfigPath,
): OperateContext {
  const kind = 'operate';
  if (action === 'openTask') {
    const opening = parsed(reading, openTaskSchema, context, at) ?? openTaskSchema.parse({});
    const parties = { ...servedIn(reading, opening, at), ...delegationIn(reading, opening, at) };
    return { kind, opening: defined({ ...opening, ...parties }) };
  }
  if (action === 'revoke') {
    const revocation = parsed(reading, revokeSchema, context, at);
    for (const name of ['kind', 'effect'] as const)
      if (revocation) noteValue(reading, name, revocation[name], [...at, name]);
    return defined({ kind, revocation });
  }
  if (action === 'completeRun') return defined({ kind, run: parsed(reading, completeRunSchema, context, at) });
  if (action === 'breakGlass') return defined({ kind, emergency: parsed(reading, breakGlassSchema, context, at) });
  parsed(reading, nothingSchema, context, at);
  return { kind };
}

/** A policy that compares the attribute with the text would be refused: so is a query that says it. */
export function noteValue({ configured, note }: Reading, attribute: string, text: string, at: ConfigPath): void {
  note(at, valueProblem({ of: 'context', attribute, text, holdsFor: (value) => value === text }, configured));
}

function parsed<S extends z.ZodType>({ note }: Reading, schema: S, value: unknown, at: ConfigPath) {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const { path, reason } of schemaFindings(schema, value)) note([...at, ...path], reason);
  return undefined;
}

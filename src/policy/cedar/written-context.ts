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
  type Who,
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
    ...partiesOf(reading, rest, at),
    openedBy: maybePartyOf(reading, openedBy, [...at, 'openedBy']),
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
    onBehalfOf: maybePartyOf(reading, onBehalfOf, [...at, 'onBehalfOf']),
    delegatedBy: maybePartyOf(reading, delegatedBy, [...at, 'delegatedBy']),
    chain: chain.map((who, index) => partyOf(reading, who, [...at, 'chain', index])),
  };
}

export function operateContext(
  reading: Reading,
  { action, context = {} }: WrittenQuery,
  at: ConfigPath,
): OperateContext {
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

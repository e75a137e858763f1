/**
 * The supported part of the IAM policy language. Everything else throws: an evaluator that skipped unknown parts would prove
 * nothing about them. Among the parts that are not supported: policy variables, NotResource, NotPrincipal, service principals,
 * IfExists and set operators, and wildcards before the sixth part of an ARN.
 */
import { z } from 'zod';
import { conditionSchema } from './condition.js';
import { oneOrMore, plainText } from './grammar.js';

const VERSION = '2012-10-17';
const shared = {
  Sid: z
    .string()
    .regex(/^[A-Za-z0-9]*$/)
    .optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Condition: conditionSchema.optional(),
};
const actions = oneOrMore(z.string().regex(/^(\*|[a-z0-9-]+:[A-Za-z0-9*?]+)$/i));
const permission = {
  ...shared,
  Resource: oneOrMore(plainText.regex(/^(\*|arn:[^:*?]+:[^:*?]+:[^:*?]*:[^:*?]*:.+)$/)),
};
const permissionSchema = z.union([
  z.strictObject({ ...permission, Action: actions }),
  z.strictObject({ ...permission, NotAction: actions }),
]);

const principals = oneOrMore(z.string().regex(/^(\*|\d{12}|arn:[^*?]+)$/));
const trustSchema = z.strictObject({
  ...shared,
  Action: actions,
  Principal: z.union([
    z.literal('*').transform(() => ({ AWS: ['*'] })),
    z.strictObject({ AWS: principals }),
    z.strictObject({ Federated: principals }),
  ]),
});

const documentOf = <S extends z.ZodType<{ Sid?: string | undefined }>>(statement: S) =>
  z.strictObject({ Version: z.literal(VERSION), Statement: oneOrMore(statement) });
const permissionsDocument = documentOf(permissionSchema);
const trustDocument = documentOf(trustSchema);

/** A session policy or a policy of a role. */
export type PolicyDocument = z.input<typeof permissionsDocument>;
/** The trust policy of a role. It names who may assume the role, and no resource. */
export type TrustPolicy = z.input<typeof trustDocument>;
export type Permission = z.output<typeof permissionSchema>;
export type Trust = z.output<typeof trustSchema>;

export function parsePolicy(document: unknown): readonly Permission[] {
  refuseProto(document);
  return distinct(permissionsDocument.parse(document).Statement);
}

export function parseTrust(document: unknown): readonly Trust[] {
  refuseProto(document);
  return distinct(trustDocument.parse(document).Statement);
}

/** zod silently drops this key from records, so a condition on it would be lost. */
function refuseProto(document: unknown): void {
  if (JSON.stringify(document).includes('"__proto__"')) throw new Error('__proto__ is no policy element');
}

function distinct<S extends { Sid?: string | undefined }>(statements: readonly S[]): readonly S[] {
  const ids = statements.flatMap(({ Sid }) => Sid ?? []);
  if (new Set(ids).size !== ids.length) throw new Error('statement ids are not unique');
  return statements;
}

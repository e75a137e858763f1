/** Finds the operation of a request, and runs it. */
import type { Account } from './account.js';
import { assumeRoleWithWebIdentity } from './assume-role-with-web-identity.js';
import { assumeRole } from './assume-role.js';
import { AwsError } from './aws-error.js';
import { getCallerIdentity } from './get-caller-identity.js';
import { getObject } from './get-object.js';
import type { Call, Result, SignedCall } from './operation.js';
import { readParameters } from './parameters.js';
import type { Received } from './received.js';
import { deleteRolePolicy, getRolePolicy, putRolePolicy } from './role-policies.js';
import { signer } from './signature.js';
import { answerXml } from './xml.js';

interface Service {
  name: string;
  version: string;
  namespace: string;
}

type Operation = { service: Service } & (
  { signed: true; run: (call: SignedCall) => Result } | { signed: false; run: (call: Call) => Promise<Result> }
);

const STS = { name: 'sts', version: '2011-06-15', namespace: 'https://sts.amazonaws.com/doc/2011-06-15/' };
const IAM = { name: 'iam', version: '2010-05-08', namespace: 'https://iam.amazonaws.com/doc/2010-05-08/' };

const operations = new Map<string, Operation>([
  ['AssumeRoleWithWebIdentity', { service: STS, signed: false, run: assumeRoleWithWebIdentity }],
  ['AssumeRole', { service: STS, signed: true, run: assumeRole }],
  ['GetCallerIdentity', { service: STS, signed: true, run: getCallerIdentity }],
  ['PutRolePolicy', { service: IAM, signed: true, run: putRolePolicy }],
  ['GetRolePolicy', { service: IAM, signed: true, run: getRolePolicy }],
  ['DeleteRolePolicy', { service: IAM, signed: true, run: deleteRolePolicy }],
]);

/** The name of the operation, for counts and faults. The data plane has only `GetObject`. */
export function operationName({ method, body }: Received): string {
  if (method === 'GET') return 'GetObject';
  return new URLSearchParams(body.toString()).get('Action') ?? '';
}

export const namespaceOf = (name: string): string => (operations.get(name)?.service ?? STS).namespace;

export async function answerTo(account: Account, request: Received): Promise<string> {
  const name = operationName(request);
  if (name === 'GetObject') return getObject(account, request);
  const form = new URLSearchParams(request.body.toString());
  const operation = operations.get(name);
  if (request.method !== 'POST' || request.path !== '/' || operation?.service.version !== form.get('Version'))
    throw new AwsError('InvalidAction', 'Could not find that operation and version');
  form.delete('Action');
  form.delete('Version');
  const call = { account, parameters: readParameters(form) };
  const { service } = operation;
  const result = operation.signed
    ? operation.run({ ...call, caller: signer(account, request, service.name) })
    : await operation.run(call);
  return answerXml(name, service.namespace, result);
}

/** What the sessions of a role may do at most, as somebody wrote it on the command line. */
import { isGuarded } from './guards.js';
import type { Statement } from './policy-document.js';

export interface Allowance {
  actions: readonly string[];
  resources: readonly string[];
}

/** One service; `*` at the end of the name, as in `s3:Get*`. */
const ACTION = /^[a-z0-9-]{1,32}:(?:[A-Za-z0-9]{1,64}\*?|\*)$/;

/** @param partition `aws`, or that of another world: resources lie in the same as their role. */
export function allowanceStatement({ actions, resources }: Allowance, partition: string): Statement {
  const statement = { Sid: 'Base', Effect: 'Allow', Action: actions, Resource: resources } as const;
  if (actions.length === 0 && resources.length === 0) return placeholder(partition);
  if (actions.length === 0 || resources.length === 0) throw new Error('--action and --on go together.');
  for (const action of actions) refuseAction(action);
  for (const resource of resources) refuseResource(resource, partition);
  return statement;
}

/** No bucket can be called so (upper case): applying it unread gives nothing away. */
const placeholder = (partition: string): Statement => ({
  Sid: 'ReplaceMe',
  Effect: 'Allow',
  Action: ['s3:GetObject'],
  Resource: [`arn:${partition}:s3:::REPLACE-ME/*`],
});

function refuseAction(action: string): void {
  if (!ACTION.test(action))
    throw new Error(`--action ${action}: is written <service>:<Action>, with "*" at most at the end.`);
  if (isGuarded(action))
    throw new Error(
      `--action ${action}: is denied by the guards of the role, since what it gives or makes outlives the session.`,
    );
}

function refuseResource(resource: string, partition: string): void {
  if (resource === '*' || new RegExp(`^arn:${partition}:[a-z0-9-]+:[^:\\s]*:[^:\\s]*:\\S+$`).test(resource)) return;
  throw new Error(`--on ${resource}: is "*" or the ARN of a resource, beginning with arn:${partition}:.`);
}

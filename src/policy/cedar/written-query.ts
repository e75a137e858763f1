/**
 * A query to policy as people write it, by the names of docs/policy.md. Whatever it names must be in the configuration and in the
 * schema: a test about something that is nowhere would say that all is well.
 */
import type { ConfigPath } from '../../config/problem.js';
import { pathProblem } from '../../domain/access.js';
import { defined } from '../../domain/defined.js';
import { didYouMean, nearNames } from '../../domain/near-names.js';
import type { PolicyQuery, PolicyResource } from '../query.js';
import { literalProblem, splitResourceId } from './fit.js';
import { accessContext, noteValue, operateContext } from './written-context.js';
import { maybePartyOf, partyOf } from './written-party.js';
import type { Reading, WrittenApproval, WrittenQuery } from './written-schema.js';

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
  const opener = maybePartyOf(reading, openedBy, [...at, 'openedBy']);
  const served = partyOf(reading, workload, [...at, 'workload']);
  return { type: 'task', task: defined({ workload: served, purpose, openedBy: opener }) };
}

function approvalOf(
  reading: Reading,
  { group, of, actions, workload, onBehalfOf, purpose }: WrittenApproval,
  at: ConfigPath,
): PolicyResource {
  const { configured, note } = reading;
  const [target, path] = splitResourceId(of);
  note([...at, 'of'], literalProblem({ type: 'Target', id: target }, configured));
  note([...at, 'of'], path === undefined ? 'is written as <target>#<path>' : malformed(path));
  note([...at, 'group'], literalProblem({ type: 'Group', id: group }, configured));
  noteValue(reading, 'purpose', purpose, [...at, 'purpose']);
  const asks = partyOf(reading, workload, [...at, 'workload']);
  const served = maybePartyOf(reading, onBehalfOf, [...at, 'onBehalfOf']);
  const access = [{ path: path ?? '', actions }];
  const approval = defined({ id: 'waiting', group, workload: asks, onBehalfOf: served, target, access, purpose });
  return { type: 'approval', approval };
}

/** A JSON endpoint of ours: who calls, what exactly they ask, then the use case. */
import { z } from 'zod';
import { auditRefusal } from '../../authorization/audit-refusal.js';
import type { AuthenticatedCaller } from '../../identity/proof.js';
import type { OperatorVerb } from '../../policy/query.js';
import { authenticate } from './authenticate.js';
import type { HttpDeps } from '../deps.js';
import type { Answer, Call, Handle } from './endpoint.js';
import { readJson, readQuery } from './body.js';

interface Operation<S extends z.ZodType> {
  verb: OperatorVerb;
  /** Where the input is: a JSON body, or the query string. */
  from: 'body' | 'query';
  input: S;
  act: (caller: AuthenticatedCaller, asked: z.output<S>, call: Call) => Promise<Answer>;
}

/** The power to end and to hold is never rationed away. Everything else is, before it can write to the audit log. */
const NOT_RATIONED: ReadonlySet<OperatorVerb> = new Set(['revoke', 'completeTask', 'suspendTask']);

/** For verbs that say everything in their path. */
export const nothing = z.strictObject({});

export const operation =
  <S extends z.ZodType>(deps: HttpDeps, { verb, from, input, act }: Operation<S>): Handle =>
  async (call) => {
    const caller = await authenticate(deps, call);
    if (!NOT_RATIONED.has(verb)) await deps.assertWithinRate(caller.party.id);
    return act(caller, await understood(deps, caller, call, { verb, from, input }), call);
  };

/** A proven caller's mistake is in the audit log like every other refusal. */
async function understood<S extends z.ZodType>(
  deps: HttpDeps,
  caller: AuthenticatedCaller,
  call: Call,
  { verb, from, input }: Pick<Operation<S>, 'verb' | 'from' | 'input'>,
): Promise<z.output<S>> {
  try {
    return from === 'body' ? readJson(call, input) : readQuery(call, input);
  } catch (error) {
    await auditRefusal(deps, error, caller, { type: 'operation.refused', verb, requestId: call.requestId });
    throw error;
  }
}

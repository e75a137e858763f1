/**
 * The Cedar schema: the names that policy authors may rely on, which is the contract of docs/policy.md. A policy directory may
 * bring its own `schema.cedarschema` with more actions. Everything declared here must be in it unchanged, because the engine builds
 * exactly these entities.
 */
import type { PolicyProblem } from '../policy-engine.js';
import { schemaToJsonWithResolvedTypes, type EntityJson, type SchemaJson } from './cedar-wasm.js';
import { problemsOf } from './problem.js';

export interface PolicySchema {
  text: string;
  actions: ReadonlyMap<string, KnownAction>;
}

interface KnownAction {
  grantable: boolean;
  principals: ReadonlySet<string>;
  resources: ReadonlySet<string>;
  /** The action and its ancestors. Cedar knows only the action groups that a call passes as entities. */
  entities: readonly EntityJson[];
}

export const SHIPPED_SCHEMA = `// Who. Tags are the verified claims named in trust[].claims: texts here, lists as tags of "lists". "unread" names those
// that a token has, and that cannot be kept whole.
entity Issuer;
entity Owner;
entity Group;
entity Lists tags Set<String>;
entity Workload in [Issuer, Owner] = { lists: Lists, unread: Set<String> } tags String;
entity Person in [Issuer, Group] = { lists: Lists, unread: Set<String> } tags String;

// What the API that asks about a use says of it, by names of its own. Nobody has verified it. The same kinds of values.
entity Given = { lists: Lists, unread: Set<String> } tags String;

// What. Tags and sensitivity come from the configuration of the target, never from who asks.
entity Target tags String;
entity Resource in [Resource, Target] = {
  target: Target,
  pattern: Bool,
  sensitivity: Set<String>,
};
entity Task = {
  workload: Workload,
  purpose: String,
  openedByWorkload?: Workload,
  openedByPerson?: Person,
};
// A request that waits for people. Asked for each group that is wanted.
entity Approval = {
  group: Group,
  workload: Workload,
  onBehalfOf?: Person,
  target: Target,
  actions: Set<String>,
  sensitivity: Set<String>, // of all that was asked for
  purpose: String,
};
entity Broker enum ["self"];

// Grants: everything in Action::"access" can be asked of POST /token. "lifetimeSeconds" is what is asked.
type AccessContext = {
  purpose: String,
  purposeFrom: String, // opener, agent, default
  lifetimeSeconds: Long,
  delegationDepth: Long,
  onBehalfOf?: Person,
  principalProven: Bool, // false where onBehalfOf was merely named
  openedBy?: Workload,
  delegatedBy?: Workload, // the nearest of the chain
  chain: Set<Workload>, // the workloads of the tasks above, as far as they are others
  chainOwners: Set<Owner>,
  approvals: Set<String>, // the groups that have agreed to this request
  risk: String, // LOW, MEDIUM, HIGH
  given?: { subject: Given, action: Given, resource: Given, context: Given }, // of a use alone, never of a grant
};
action access;
action read, write, execute, export in [access] appliesTo {
  principal: [Workload, Person],
  resource: [Resource],
  context: AccessContext,
};

// Verbs of the broker itself.
action operate;
action openTask in [operate] appliesTo {
  principal: [Workload, Person],
  resource: [Task],
  context: {
    lifetimeSeconds: Long,
    onBehalfOf?: Person,
    principalProven: Bool,
    delegationDepth: Long,
    delegatedBy?: Workload,
    chain: Set<Workload>,
    chainOwners: Set<Owner>,
  },
};
action completeTask, suspendTask, resumeTask, heartbeat, readTask in [operate] appliesTo {
  principal: [Workload, Person],
  resource: [Task],
};
action completeRun in [operate] appliesTo {
  principal: [Workload, Person],
  resource: [Broker],
  context: { issuer: String, run: String, own: Bool }, // own: the token of who asks names this run
};
action introspect, evaluate, assertProperties, reportUsage in [operate] appliesTo {
  principal: [Workload, Person],
  resource: [Target],
};
action revoke in [operate] appliesTo {
  principal: [Workload, Person],
  resource: [Broker],
  context: { kind: String, value: String, effect: String, dryRun: Bool },
};
action readRevocations, readCredential, readAudit, sendSignal, followFeed in [operate] appliesTo {
  principal: [Workload, Person],
  resource: [Broker],
};
action approve in [operate] appliesTo {
  principal: [Person],
  resource: [Approval],
};
action breakGlass in [operate] appliesTo {
  principal: [Person],
  resource: [Approval],
  context: { own: Bool }, // own: who asks is served by it, has opened it, or is of its chain
};
`;

/** Parses a schema; undefined when there are problems. */
export function readSchema(file: string, text: string): { schema?: PolicySchema; problems: PolicyProblem[] } {
  if (text === SHIPPED_SCHEMA) return { schema: { text, actions: actionsOf(shippedSchema()) }, problems: [] };
  const answer = schemaToJsonWithResolvedTypes(text);
  if (answer.type === 'failure') return { problems: problemsOf(answer.errors, file, text) };
  const problems = departures(answer.json).map((what) => ({
    file,
    line: 1,
    reason: `${what} is not as in the shipped schema; only further actions may be added`,
  }));
  return problems.length > 0 ? { problems } : { schema: { text, actions: actionsOf(answer.json) }, problems };
}

function departures(given: SchemaJson<string>): string[] {
  const theirs = given[''];
  const ours = shippedSchema()[''];
  return [
    ...differing(ours?.commonTypes, theirs?.commonTypes, 'type'),
    ...differing(ours?.entityTypes, theirs?.entityTypes, 'entity'),
    ...differing(ours?.actions, theirs?.actions, 'action'),
  ];
}

/** Parsed once: it takes as long as all else that is read of a small directory, and each reload compares with it. */
let shipped: SchemaJson<string> | undefined;

function shippedSchema(): SchemaJson<string> {
  if (shipped) return shipped;
  const answer = schemaToJsonWithResolvedTypes(SHIPPED_SCHEMA);
  if (answer.type === 'failure') throw new Error('the shipped schema does not parse');
  return (shipped = answer.json);
}

/**
 * Returns the declarations of `ours` that `theirs` lacks or changes. Both come from one parser that sorts unordered parts,
 * so equal declarations have equal text.
 */
function differing(ours: object | undefined, theirs: object | undefined, kind: string): string[] {
  const found = new Map<string, unknown>(Object.entries(theirs ?? {}));
  return Object.entries(ours ?? {})
    .filter(([name, declaration]) => JSON.stringify(found.get(name)) !== JSON.stringify(declaration))
    .map(([name]) => `${kind} ${name}`);
}

function actionsOf(json: SchemaJson<string>): Map<string, KnownAction> {
  const declared = new Map(Object.entries(json['']?.actions ?? {}));
  const parentsOf = (name: string) => (declared.get(name)?.memberOf ?? []).map(({ id }) => id);
  const lineOf = (name: string, seen: Set<string>): Set<string> => {
    if (seen.has(name)) return seen;
    seen.add(name);
    for (const parent of parentsOf(name)) lineOf(parent, seen);
    return seen;
  };
  const actions = new Map<string, KnownAction>();
  for (const [name, { appliesTo }] of declared) {
    const line = [...lineOf(name, new Set())];
    const principals = new Set(appliesTo?.principalTypes);
    actions.set(name, {
      grantable: principals.size > 0 && line.includes('access'),
      principals,
      resources: new Set(appliesTo?.resourceTypes),
      entities: line.map((id) => actionEntity(id, parentsOf(id))),
    });
  }
  return actions;
}

const actionEntity = (id: string, parents: string[]): EntityJson => ({
  uid: { type: 'Action', id },
  attrs: {},
  parents: parents.map((parent) => ({ type: 'Action', id: parent })),
});

/** Revoking as a security team does it: by the real use cases, over any store, without HTTP. */
import { effectFits, EFFECTS, SELECTOR_KINDS, type Effect, type Selector } from '../../src/domain/selector.js';
import { openTask } from '../../src/tasks/open-task.js';
import type { AuthenticatedCaller } from '../../src/identity/proof.js';
import { proven } from './brokers/stubbed.js';
import { handClock } from './clock.js';
import { withPersons, withRuns } from './brokers/use-cases.js';
import { AGENT, OPERATOR, TARGET, wholeBroker, type WholeBroker } from './brokers/use-cases.js';
import { previewRevocation, revokeBySelector } from './verbs.js';

export const why = { reason: 'test', requestId: 'r' };

/** A security team of another issuer and team, so that nothing it revokes locks it out. */
export const socOf = ({ clock }: WholeBroker): AuthenticatedCaller => {
  const { party, ...proof } = proven('ops:soc', clock);
  return { ...proof, party: { ...party, issuer: 'ops', owner: 'security' } };
};

export const soc = (broker: WholeBroker, what: Selector, effect?: Effect, over: { liftAt?: number } = {}) =>
  revokeBySelector(broker.deps, socOf(broker), { what, ...(effect && { effect }), ...why, ...over });

export const preview = (broker: WholeBroker, what: Selector, effect?: Effect) =>
  previewRevocation(broker.deps, socOf(broker), { what, ...(effect && { effect }), ...why });

export const asking = {
  subject: { token: AGENT, type: 'urn:ietf:params:oauth:token-type:jwt' },
  target: TARGET,
  access: [{ path: 'incident/4711', actions: ['read'] }],
  askedAsScope: true,
  under: { purpose: 'triage' },
  requestId: 'r',
};

/** A broker with an issuer of persons, and a credential with a cause of every kind. */
export async function oneThatHangsOnEverything() {
  const { settings } = (await wholeBroker()).deps;
  const clock = handClock();
  const identify = (token: string) => Promise.resolve(inRun(proven(token, clock)));
  const broker = await wholeBroker({ settings: withRuns(withPersons(settings)), clock, identify });
  const open = (wish: object) =>
    openTask(broker.deps, inRun(broker.operator), { workload: AGENT, purpose: 'triage', requestId: 'r', ...wish });
  const parent = await open({ principal: 'staff:ada' });
  const { task } = await open({ parent: parent.task.id, heartbeat: { intervalSeconds: 60, missesAllowed: 3 } });
  const jwt = asking.subject.type;
  const proofs = { subject: { token: 'staff:ada', type: jwt }, actor: { token: AGENT, type: jwt } };
  const issued = await broker.exchange({ ...proofs, under: { taskId: task.id } });
  const values: Record<Selector['kind'], string[]> = {
    credential: [issued.credential.id],
    task: [task.id, parent.task.id],
    workload: [AGENT, OPERATOR],
    subject: [SUBJECT],
    run: [RUN],
    principal: ['staff:ada'],
    session: [LOGIN],
    issuer: ['lab', 'staff'],
    owner: ['sre'],
    target: [TARGET],
    drill: [],
    all: [''],
  };
  return { broker, task, issued, values };
}

const SUBJECT = 'lab:branch-1';
const RUN = 'lab:run-1';
const LOGIN = 'staff:login-1';
const inRun = ({ party, ...proof }: AuthenticatedCaller) => ({
  ...proof,
  party: { ...party, ...(party.kind === 'person' ? { session: LOGIN } : { subject: SUBJECT, run: 'run-1' }) },
});

export const FITTING = SELECTOR_KINDS.flatMap((kind) =>
  EFFECTS.filter((effect) => effectFits(kind, effect)).map((effect) => [kind, effect] as const),
);

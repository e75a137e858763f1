/**
 * Plays for the search over orders: each actor does one thing as a broker of its own, and every order must keep the guarantees.
 * What is issued, published and asked is recorded with its span of steps, so "before" means before in that run.
 */
import { defined } from '../../../src/domain/defined.js';
import { exchangeFor } from '../../../src/credentials/exchange.js';
import type { Issued } from '../../../src/credentials/release.js';
import { findCredential } from '../../../src/ledger/credentials.js';
import { openTask } from '../../../src/tasks/open-task.js';
import type { Effect, Selector } from '../../../src/domain/selector.js';
import type { AuthenticatedCaller } from '../../../src/identity/proof.js';
import type { OpenTaskRequest } from '../../../src/tasks/draft-task.js';
import type { Ledger } from '../../../src/ledger/ledger.js';
import { readTaskState, type TaskState } from '../../../src/ledger/task-state.js';
import { readApproval, readByCode } from '../../../src/ledger/approvals.js';
import { readTask } from '../../../src/ledger/tasks.js';
import type { LogEntry } from '../../../src/domain/tombstone.js';
import { lift, revoke } from '../../../src/ledger/revoke.js';
import { countImpact } from '../../../src/ledger/impact.js';
import { AGENT, bareBroker, OPERATOR, PLANNER, proven, TARGET, type BareBroker } from '../brokers/stubbed.js';
import { handClock, type HandClock } from '../clock.js';
import { everyInterleaving, searchClock, type Scenario, type Search, type Stepped } from './interleave.js';
import { modelStore, type ModelState, type ModelStore } from './model-store.js';
import { withPersons } from '../brokers/use-cases.js';
import { checkGuarantees, livingOf, type Death, type Witness } from './witness.js';
import { completeRun, completeTask, resumeTask, suspendTask } from '../verbs.js';
import { exchange } from '../exchanging.js';
import { answered, waitingFor } from '../approvals/asking.js';
import { answerApproval } from '../../../src/approvals/answer.js';
import { cancelApproval } from '../../../src/approvals/cancel.js';
import { issuedNow } from '../../../src/approvals/refusals.js';
import { giveCode } from '../../../src/approvals/deferral.js';
import { reviewApproval } from '../../../src/approvals/review.js';
import { permitAnswer, permitReview } from '../../../src/authorization/permit-answer.js';
import { permitOnApproval } from '../../../src/authorization/permit-on-approval.js';
import { shownDigest, type ApprovalAnswer } from '../../../src/domain/approval.js';
import type { PolicyEngine } from '../../../src/policy/policy-engine.js';

type Actor = (stepped: Stepped) => Promise<unknown>;

/** What a play makes its actors of, in one run. */
export interface Stage {
  clock: HandClock;
  store: ModelStore;
  /** The id of an open task of the agent, for four hours. */
  task: string;
  /** The id of an open task of another workload, for eight hours, under a root task and for a person. */
  plannersTask: string;
  plannersRoot: string;
  /** @param run The run that the token of the agent names (`trust[].run`). */
  exchange: (under: { purpose: string } | { taskId: string }, run?: string) => Actor;
  exchangeUnderNewChild: (parent: string) => Actor;
  /** The agent asks with the credential that the planner has under `plannersTask`, which hangs on all of `ABOVE`. */
  handOn: () => Actor;
  plannersCredential: string;
  /** The id of the question that `task` waits for, where policy asks people (`asking`). */
  approval: string;
  /** A person reads the question, and answers it. */
  answer: (person: string, decision: ApprovalAnswer['says']) => Actor;
  /** The same, outside of the order of steps. */
  answerAgain: (person: string, decision: ApprovalAnswer['says']) => Promise<void>;
  /** A person closes the review of the emergency. */
  review: (person: string) => Actor;
  /** From then on policy lets no yes stand for the rest of the task. */
  askEachTime: () => Actor;
  /** When that was, in this run. */
  policyChange: { span?: Stepped['span'] };
  /** The agent takes the question back. */
  cancelApproval: () => Actor;
  complete: (task: string, outcome?: 'completed' | 'failed') => Actor;
  /** Completes the run of that name, of the issuer of the agent. */
  completeRun: (run: string) => Actor;
  suspend: (task: string) => Actor;
  suspendAndResume: (task: string) => Actor;
  revoke: (selector: Selector, effect: Effect) => Actor;
  holdAndLift: (selector: Selector) => Actor;
  /** Asks of each credential issued so far whether it is alive. */
  ask: () => Actor;
  /** An actor that does anything else. */
  act: (action: (broker: BareBroker, stepped: Stepped) => Promise<unknown>) => Actor;
  witness: Witness;
  /** Over the whole store, outside of the order of steps. */
  ledger: Ledger;
  /** Ids of what was issued and is alive now. */
  living: () => Promise<string[]>;
  /** The state of `task` now. */
  taskState: () => Promise<TaskState | undefined>;
  /** Returns how many actors of this play exchange a token. */
  exchanges: () => number;
}

export interface PlayOptions extends Search {
  credentialsPerTask?: number;
  /**
   * Policy asks people about all that the agent asks for. It has not asked yet; people have not answered yet; have agreed; one of them
   * has declared an emergency; or they have agreed for the rest of the task, and the yes was used once.
   */
  asking?: 'unasked' | 'pending' | 'approved' | 'emergency' | 'standing';
  /** The play is about what comes before a credential. */
  nothingIssued?: boolean;
  /** The play loses records. A credential without a record counts as dead. */
  lossy?: boolean;
  /** Checks what must hold besides the guarantees of every play. */
  also?(stage: Stage): Promise<void> | void;
}

/** Runs every order of the play and checks every guarantee after each. Returns the number of orders. */
export async function orders(
  play: (stage: Stage) => Record<string, Actor>,
  options: PlayOptions = {},
): Promise<number> {
  let [tried, issued] = [0, 0];
  const prepared = await prepare(options);
  const runs = await everyInterleaving((): Scenario => {
    const stage = setStage(prepared, options);
    return {
      store: stage.store,
      processes: play(stage),
      async check() {
        tried += stage.exchanges();
        issued += stage.witness.issued.length;
        await checkGuarantees(stage, options.lossy);
        await options.also?.(stage);
      },
    };
  }, options);
  if (tried > 0 && issued === 0 && !options.nothingIssued)
    throw new Error('no order issued anything: the play proves nothing');
  return runs;
}

/** What each run begins with: two open tasks, and a credential of the planner. They are made once for all runs. */
interface Prepared {
  state: ModelState;
  task: string;
  plannersTask: string;
  plannersRoot: string;
  plannersCredential: string;
  approval: string;
  code: string;
}

/** Whoever has agreed where the play begins with that. */
export const APPROVER = 'staff:bo';
/** The yes of the person who agreed counts no more after any of these; nothing else changes. With the name of each. */
export const APPROVER_CUT_OFF: [string, Selector, Effect][] = [
  ['a hold on the person who agreed', { kind: 'principal', value: APPROVER }, 'hold'],
  ['a cutoff of the person who agreed', { kind: 'principal', value: APPROVER }, 'cutoff'],
  ['a hold on the issuer of that person', { kind: 'issuer', value: 'staff' }, 'hold'],
];

/** Names of which only what the planner has is, and not the agent by itself. */
export const ABOVE = { run: 'run-0', subject: 'lab:branch-0', person: 'staff:ada', session: 'staff:login-0' } as const;

const ASKING = {
  target: TARGET,
  access: [{ path: 'incident/4711', actions: ['read'] }],
  askedAsScope: true,
  requestId: 'r',
};
const asked = (token: string) => ({ subject: { token, type: 'urn:ietf:params:oauth:token-type:jwt' } });

async function prepare({ asking }: PlayOptions): Promise<Prepared> {
  const clock = handClock();
  const store = modelStore(clock);
  const bare = bareBroker(store, clock);
  const opener = {
    ...bare,
    settings: withPersons(bare.settings),
    identify: (token: string) => Promise.resolve(namedInFull(token, clock)),
  };
  const open = async (wish: Partial<OpenTaskRequest>, by = proven(OPERATOR, clock)): Promise<string> =>
    (await openTask(opener, by, { purpose: 'triage', requestId: 'r', ...wish })).task.id;
  const task = await open({ workload: AGENT, deadlineSeconds: 14_400 });
  const inRun = namedInFull(OPERATOR, clock);
  const planners = { workload: PLANNER, principal: ABOVE.person, deadlineSeconds: 28_800 };
  const plannersRoot = await open(planners, inRun);
  const plannersTask = await open({ ...planners, parent: plannersRoot }, inRun);
  const proofs = { ...asked(ABOVE.person), actor: asked(PLANNER).subject };
  const { credential } = await exchange(opener, { ...ASKING, ...proofs, under: { taskId: plannersTask } });
  const asks = asking ? await ask(bare, task, asking) : { approval: '', code: '' };
  return { state: store.snapshotState(), task, plannersTask, plannersRoot, plannersCredential: credential.id, ...asks };
}

async function ask(broker: BareBroker, taskId: string, asking: NonNullable<PlayOptions['asking']>) {
  if (asking === 'unasked') return { approval: '', code: '' };
  const request = { ...ASKING, ...asked(AGENT), under: { taskId } };
  const asks = { ...broker, policy: asksPeople(broker.policy, () => asking === 'standing') };
  const { id } = await waitingFor(exchange(asks, request));
  const code = (await giveCode(broker.ledger, id)) ?? '';
  const by = { kind: 'person', id: APPROVER, issuer: 'staff' } as const;
  if (asking === 'approved' || asking === 'standing') await answered(broker, id, { by });
  if (asking === 'emergency') await answerAs(asks, id, APPROVER, 'emergency');
  if (asking === 'standing') await exchange(asks, request);
  return { approval: id, code };
}

async function answerAs(
  broker: BareBroker,
  approval: string,
  person: string,
  says: ApprovalAnswer['says'],
): Promise<void> {
  const seen = await permitOnApproval(broker, proven(person, broker.ledger.clock as HandClock), approval);
  const digest = shownDigest(seen.subject.approval);
  await answerApproval(broker, permitAnswer(broker.settings, seen, says), { digest, reason: 'test' }, 'r');
}

/** Policy that permits a credential once people of one group have agreed, and everything else. */
const asksPeople = (permits: PolicyEngine, isStanding: () => boolean): PolicyEngine => ({
  ...permits,
  async decide(query) {
    const verdict = await permits.decide(query);
    const { context } = query;
    if (context.kind !== 'access' || context.approvals.includes('sre')) return verdict;
    const need = { group: 'sre', approvers: 1, ...(isStanding() && { reuse: true as const }) };
    return { ...verdict, outcome: 'needs-approval', needs: [need] };
  },
});

function namedInFull(token: string, clock: HandClock): AuthenticatedCaller {
  const { party, ...proof } = proven(token, clock, clock.now() + 60_000);
  const { run, subject, session } = ABOVE;
  return { ...proof, party: { ...party, ...(party.kind === 'person' ? { session } : { run, subject }) } };
}

function setStage({ state, code, ...tasks }: Prepared, { credentialsPerTask, asking }: PlayOptions): Stage {
  const clock = searchClock();
  const store = modelStore(clock, state);
  const policyChange: Stage['policyChange'] = {};
  const isStanding = () => asking === 'standing' && policyChange.span === undefined;
  const brokerOn = (stepped: Stepped): BareBroker => {
    const broker = bareBroker(stepped.store, clock, credentialsPerTask);
    return asking ? { ...broker, policy: asksPeople(broker.policy, isStanding) } : broker;
  };
  const witness: Witness = { issued: [], deaths: [], answers: [], refusals: [], minted: [] };
  const operator = proven(OPERATOR, clock);
  const selectTask = (value: string): Selector => ({ kind: 'task', value });

  const issue = async (
    broker: BareBroker,
    stepped: Stepped,
    under: { purpose: string } | { taskId: string },
  ): Promise<void> => {
    witness.minted.push(broker.minted);
    const fresh = 'purpose' in under;
    await witnessed(stepped, fresh, () => exchange(broker, { ...ASKING, ...asked(AGENT), under }));
  };
  const witnessed = async (stepped: Stepped, fresh: boolean, issuing: () => Promise<Issued>): Promise<void> => {
    try {
      const { credential } = await issuing();
      witness.issued.push({ credential, span: stepped.span });
    } catch (error) {
      witness.refusals.push({ error, span: stepped.span, fresh });
      throw error;
    }
  };
  const note = (stepped: Stepped, selector: Selector, effect: Effect, entry: LogEntry | undefined): Death => {
    const death: Death = { selector, effect, span: stepped.span, seq: entry?.seq ?? 0 };
    witness.deaths.push(death);
    return death;
  };

  let exchanges = 0;
  const exchanging = (actor: Actor): Actor => {
    exchanges += 1;
    return actor;
  };
  const { ledger } = bareBroker(store, clock);
  return {
    ...tasks,
    ledger,
    exchanges: () => exchanges,
    living: () =>
      livingOf(
        ledger,
        witness.issued.map(({ credential }) => credential),
      ),
    async taskState() {
      const stored = await readTask(ledger, tasks.task);
      return stored && readTaskState(ledger, stored.value);
    },
    clock,
    store,
    witness,
    act: (action) => (stepped) => action(brokerOn(stepped), stepped),
    exchange: (under, run) => exchanging((stepped) => issue(ofRun(brokerOn(stepped), run), stepped, under)),
    exchangeUnderNewChild: (parent) =>
      exchanging(async (stepped) => {
        const broker = brokerOn(stepped);
        const child = await openTask(broker, operator, { workload: AGENT, purpose: 'part', parent, requestId: 'r' });
        await issue(broker, stepped, { taskId: child.task.id });
      }),
    handOn: () =>
      exchanging(async (stepped) => {
        const broker = brokerOn(stepped);
        witness.minted.push(broker.minted);
        await witnessed(stepped, false, async () => {
          const handed = await findCredential(broker.ledger, tasks.plannersCredential);
          if (!handed) throw new Error('the planner has no credential');
          const requester = { caller: await broker.identify(AGENT, { use: 'actor' }), handed };
          const read = () => ({ ...ASKING, under: { purpose: 'part' } });
          return issuedNow(await exchangeFor(broker, requester, { requestId: 'r', read }));
        });
      }),
    answer: (person, decision) => (stepped) => answerAs(brokerOn(stepped), tasks.approval, person, decision),
    answerAgain: (person, decision) => answerAs(bareBroker(store, clock), tasks.approval, person, decision),
    review: (person) => async (stepped) => {
      const broker = brokerOn(stepped);
      const seen = await permitOnApproval(broker, proven(person, clock), tasks.approval);
      await reviewApproval(broker, permitReview(broker.settings, seen), 'looked at it', 'r');
    },
    policyChange,
    // A reading is a step, so every other step is tried before it and after it.
    askEachTime: () => async (stepped) => {
      await readApproval(brokerOn(stepped).ledger, tasks.approval);
      policyChange.span = stepped.span;
    },
    cancelApproval: () => async (stepped) => {
      const [broker, caller] = [brokerOn(stepped), proven(AGENT, clock)];
      const approval = await readByCode(broker.ledger, code);
      if (approval) await cancelApproval(broker, approval, { caller, requestId: 'r' });
    },
    complete:
      (taskId, outcome = 'completed') =>
      async (stepped) => {
        const { revocation } = await completeTask(brokerOn(stepped), operator, { taskId, outcome, requestId: 'r' });
        note(stepped, selectTask(taskId), 'end', revocation?.entry);
      },
    completeRun: (run) => async (stepped) => {
      const broker = brokerOn(stepped);
      // The walk over the tasks asks every shard, so it is no step of the search: the log alone decides what is dead.
      const walking = { ...broker, ledger: { ...broker.ledger, records: store.records } };
      const { revocation } = await completeRun(walking, operator, { issuer: 'lab', run, requestId: 'r' });
      note(stepped, { kind: 'run', value: `lab:${run}` }, 'end', revocation?.entry);
    },
    suspend: (taskId) => async (stepped) => {
      const { entry } = await suspendTask(brokerOn(stepped), operator, { taskId, requestId: 'r' });
      note(stepped, selectTask(taskId), 'hold', entry);
    },
    suspendAndResume: (taskId) => async (stepped) => {
      const broker = brokerOn(stepped);
      const { entry } = await suspendTask(broker, operator, { taskId, requestId: 'r' });
      note(stepped, selectTask(taskId), 'hold', entry).lifted = true;
      await resumeTask(broker, operator, { taskId, requestId: 'r' });
    },
    revoke: (selector, effect) => async (stepped) => {
      const { ledger } = brokerOn(stepped);
      const entry = await revoke(ledger, { selector, effect, reason: 'test', actor: OPERATOR });
      const death = note(stepped, selector, effect, entry);
      const published = { seq: entry.seq, before: entry.before };
      death.counted = (
        await countImpact({ ...ledger, records: store.records }, { selector, at: entry.at, published })
      ).credentials;
    },
    holdAndLift: (selector) => async (stepped) => {
      const { ledger } = brokerOn(stepped);
      const hold = await revoke(ledger, { selector, effect: 'hold', reason: 'test', actor: OPERATOR });
      note(stepped, selector, 'hold', hold).lifted = true;
      await lift(ledger, hold, { actor: OPERATOR, reason: 'test' });
    },
    ask: () => async (stepped) => {
      const { ledger } = brokerOn(stepped);
      const before = witness.issued.map(({ credential }) => credential);
      witness.answers.push({ span: stepped.span, active: await livingOf(ledger, before) });
    },
  };
}

const ofRun = (broker: BareBroker, run: string | undefined): BareBroker => ({
  ...broker,
  async identify(token, as) {
    const caller = await broker.identify(token, as);
    return { ...caller, party: defined({ ...caller.party, run }) };
  },
});

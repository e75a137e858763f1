/**
 * Random lives of AWS sessions. Each step is played on a broker and on the model of what must be alive. Once all pushes have
 * taken effect, the model is compared, session by session, with what the policy evaluator of the fake AWS allows.
 */
import type { Effect } from '../../../src/domain/selector.js';
import type { Denials } from '../../../src/minters/minter.js';
import { BrokerError } from '../../../src/domain/errors.js';
import { lift } from '../../../src/ledger/revoke.js';
import { forget } from '../../../src/ledger/forget.js';
import type { LogEntry } from '../../../src/domain/tombstone.js';
import { handClock } from '../clock.js';
import { memoryAws, ROLE } from './memory-aws.js';
import { modelStore } from '../search/model-store.js';
import { FENCED_SECONDS, pass, sessionBroker, untilMinted } from '../brokers/sessions.js';
import type { Played, Scenario, Step } from './steps.js';
import { PERSON, ROLES, sayable, sessionModel, WORKLOADS, wordsOfBirth } from './model.js';

/** How much happened in a run: a test in which nothing lived or died would prove nothing. */
export interface Tally {
  lived: number;
  died: number;
  made: number;
  compactions: number;
}

/** @param fillOf returns how full a role is with these denials: with it, few denials can fill a role. */
export async function play(steps: Scenario, fillOf?: (denials: Denials) => number): Promise<Tally> {
  const stage = await setStage(fillOf);
  for (const step of steps) {
    await stage.take(step);
    await stage.follow();
    await stage.checkClaims();
  }
  await stage.settle();
  return stage.compare();
}

async function setStage(fillOf?: (denials: Denials) => number) {
  const clock = handClock();
  const store = modelStore(clock);
  const aws = memoryAws(clock, { fillOf });
  const model = sessionModel();
  const holds: { entry: LogEntry; word: string }[] = [];
  let [nodes, followed, compactions, tampered] = [1, 0, 0, false];
  let broker = sessionBroker({ store, clock, aws, node: 'n1' });
  await broker.work();
  clock.advance(FENCED_SECONDS * 1_000);
  await broker.work();

  const pick = <T>(from: readonly T[], number: number): T | undefined => from[number % Math.max(1, from.length)];
  const taskIds = () => [...model.tasks.keys()];
  const role = (number: number) => pick(ROLES, number) ?? ROLE;
  const fresh = () => sessionBroker({ store, clock, aws, node: `n${(nodes += 1)}` });

  async function mint({ who, role: roleNumber, under, forPerson, lifetimeSeconds, fault }: Played<'mint'>) {
    const taskId = under === undefined ? undefined : pick(taskIds(), under);
    const task = taskId === undefined ? undefined : model.tasks.get(taskId);
    const workload = task?.workload ?? pick(WORKLOADS, who) ?? '';
    const target = role(roleNumber);
    const person = task || !forPerson ? undefined : PERSON;
    const words = wordsOfBirth({ workload, role: target, person, underTask: task !== undefined });
    const may = model.mayBear(words, taskId, clock.now());
    aws.mintFaults.splice(0, Infinity, ...(fault ? [fault] : []));
    const wish = {
      role: target,
      lifetimeSeconds,
      ...(taskId !== undefined && { taskId }),
      ...(person !== undefined && { person }),
    };
    const minting = broker.mint(workload, wish);
    try {
      const issued = await (fault === 'never' ? Promise.race([minting, untilMinted()]) : minting);
      if (taskId === undefined && issued)
        model.openTask(issued.task.id, {
          workload,
          until: issued.task.deadline,
          opened: false,
          ...(person !== undefined && { person }),
        });
      if (!issued) return;
      if (!may) throw new Error('born, though something stands against it');
      model.prove(issued.task.id);
      model.bear(issued.credential.id, issued.task.id, target, issued.credential.expiresAt);
    } catch (error) {
      if (
        may &&
        error instanceof BrokerError &&
        ['access_denied', 'invalid_grant'].includes(error.code) &&
        fault !== 'lost'
      )
        throw new Error('refused, though nothing stands against it', { cause: error });
      if (!(error instanceof BrokerError) && !(error instanceof Error && error.message === 'no answer')) throw error;
    } finally {
      if (taskId !== undefined && fault && aws.mintFaults.length === 0) model.prove(taskId);
    }
  }

  function say({ kind, what, effect: wished }: Played<'revoke'>): { value: string; effect: Effect } | undefined {
    const value = pick(sayable(model)[kind], what);
    const effect = kind === 'credential' || (kind === 'task' && wished === 'cutoff') ? 'end' : wished;
    return value === undefined ? undefined : { value, effect };
  }

  async function revoke(step: Played<'revoke'>) {
    const said = say(step);
    if (!said) return;
    const entry = await broker.revoke(step.kind, said.value, said.effect);
    const word = `${step.kind}:${said.value}`;
    model.say(word, said.effect);
    if (said.effect === 'hold') holds.push({ entry, word });
  }

  async function onTask({ op, what }: Played<'complete' | 'suspend' | 'resume'>) {
    const id = pick(taskIds(), what);
    const task = id === undefined ? undefined : model.tasks.get(id);
    if (id === undefined || !task || task.dead || task.until <= clock.now()) return;
    await broker[op](id).catch(refusedOnly);
    const suspended = holds.findIndex((one) => one.word === `task:${id}` && one.entry.reason === 'suspended');
    if (op === 'complete') model.say(`task:${id}`, 'end');
    if (op === 'resume' && suspended >= 0) {
      model.lift(`task:${id}`);
      holds.splice(suspended, 1);
    }
    if (op === 'suspend' && suspended < 0) {
      const entry = (await store.log.entries(0, 1_000)).findLast(({ effect }) => effect === 'hold');
      if (entry) holds.push({ entry, word: `task:${id}` });
      model.say(`task:${id}`, 'hold');
    }
  }

  async function open({ who, under, deadlineSeconds }: Played<'open'>) {
    const parent = under === undefined ? undefined : pick(taskIds(), under);
    const workload = pick(WORKLOADS, who) ?? '';
    const until = clock.now() + deadlineSeconds * 1_000;
    const id = await broker
      .open(workload, { deadlineSeconds, ...(parent !== undefined && { parent }) })
      .catch(refusedOnly);
    if (id !== undefined)
      model.openTask(id, { workload, until, opened: true, ...(parent !== undefined && { parent }) });
  }

  async function liftOne(number: number) {
    const hold = pick(
      holds.filter(({ entry }) => entry.reason !== 'suspended'),
      number,
    );
    if (!hold) return;
    await lift(broker.deps.ledger, hold.entry, { actor: 'soc', reason: 'lifted' });
    model.lift(hold.word);
    holds.splice(holds.indexOf(hold), 1);
  }

  async function wait(seconds: number) {
    const stride = seconds > 60 ? Math.ceil(seconds / 10) : 1;
    for (let waited = 0; waited < seconds; waited += stride) {
      clock.advance((stride - 1) * 1_000);
      await pass(clock, 1, broker);
    }
    if (seconds > 60) await forget(broker.deps.ledger, clock.now());
  }

  async function lose(op: Played<'move the log' | 'wipe the store'>['op']) {
    const wiped = op === 'wipe the store';
    if (wiped) store.wipe();
    else store.moveHome();
    model.loseAll(wiped);
    if (wiped) [holds.length, followed] = [0, 0];
    if (wiped) model.tasks.clear();
    broker = fresh();
    await broker.work();
  }

  return {
    async take(step: Step) {
      switch (step.op) {
        case 'mint':
          return mint(step);
        case 'open':
          return open(step);
        case 'complete':
        case 'suspend':
        case 'resume':
          return onTask(step);
        case 'revoke':
          return revoke(step);
        case 'lift':
          return liftOne(step.what);
        case 'pass':
          return wait(step.seconds);
        case 'fail':
          return void aws.failing.add(role(step.role));
        case 'tamper':
          tampered = true;
          aws.tamper(role(step.role));
          return;
        case 'restart':
          await broker.reconciler.releaseLeases();
          return void (broker = fresh());
        case 'crash':
          return void (broker = fresh());
        default:
          return lose(step.op);
      }
    },
    /** Copies the broker's own cutoffs (compactions) from the log to the model: it cuts off more when a role has no room left. */
    async follow() {
      for (const entry of await store.log.entries(followed, 1_000)) {
        followed = entry.seq;
        if (entry.actor !== 'broker' || entry.effect !== 'cutoff') continue;
        compactions += 1;
        model.say(`${entry.selector.kind}:${entry.selector.value}`, 'cutoff');
      }
    },
    /** G8: no session counts as ended that AWS still allows. */
    async checkClaims() {
      if (tampered) return;
      for (const [id, { dead }] of model.sessions) {
        if (dead && (await broker.end({ id }))?.effect === 'effective' && aws.reads(id))
          throw new Error(`${id} is said to be dead, and passes`);
      }
    },
    async settle() {
      aws.failing.clear();
      for (let turns = 0; turns < 9; turns += 1) {
        clock.advance(9_000);
        await pass(clock, 1, broker);
        if (turns === 3) await broker.reconciler.check();
      }
      await this.follow();
      tampered = false;
      await this.checkClaims();
    },
    compare(): Tally {
      const tally: Tally = { lived: 0, died: 0, made: aws.made.size, compactions };
      for (const id of aws.made.keys()) {
        const known = model.sessions.get(id);
        const lives = known !== undefined && !known.dead && known.until > clock.now();
        if (known && known.until > clock.now()) tally[lives ? 'lived' : 'died'] += 1;
        if (lives !== aws.reads(id)) throw new Error(`${id} ${lives ? 'lives, and is denied' : 'is dead, and passes'}`);
      }
      return tally;
    },
  };
}

function refusedOnly(error: unknown): undefined {
  if (!(error instanceof BrokerError)) throw error;
}

/** A task of the broker, from the side of the agent: credentials under it, its heartbeat, its end. */
import { createHash } from 'node:crypto';
import { isLive } from '../domain/task-outcome.js';
import { answerWait } from './approval-wait.js';
import { KeptCredential } from './credential.js';
import { elapsed } from './elapsed.js';
import { ApprovalNeeded, MayflyError, NotApproved, Refused, TaskEnded } from './errors.js';
import { ask, asBearer, textOf, tokenFrom } from './request.js';
import { exchangeForm, issuedIn, parametersOf, wishOf } from './token-request.js';
const AWAITED = '/introspect/wait';
export class Task {
  #connection;
  #unopened;
  #credentials = new Map();
  #ended = new AbortController();
  #opener = crypto.randomUUID();
  #id;
  #opening;
  #heartbeat;
  #heartbeatFailure;
  #isBeating = false;
  /** Why nothing more is asked for here. */
  #over;
  /** Whether nothing is left to tell: the broker knows of the end, or others go on with the task. */
  #isSettled = false;
  constructor(connection, setup) {
    this.#connection = connection;
    this.#unopened = 'id' in setup ? undefined : setup;
    if (!('id' in setup)) return;
    this.#id = setup.id;
    if (setup.heartbeatSeconds === undefined) return;
    this.#heartbeat = setInterval(() => void this.#beat(), setup.heartbeatSeconds * 1000);
    this.#heartbeat.unref();
  }
  /** `tsk_…`; undefined before the first credential of a task that a person, what was handed on, or the target's default purpose opens. */
  get id() {
    return this.#id;
  }
  /**
   * Aborted, with a TaskEnded as its reason, once the client learns that somebody else ended the task: from a heartbeat, or from a
   * refusal. Pass it to whatever should stop then.
   */
  get signal() {
    return this.#ended.signal;
  }
  /**
   * Returns a credential for the target, from memory while one lives. Throws TaskEnded, Refused where the broker says no, and
   * Unavailable or IdentityUnavailable where it could not be asked and nothing that lives is kept.
   */
  async credential(target, wish = {}) {
    const { waitForApproval } = wishOf(wish);
    for (;;) {
      if (this.#over) throw this.#over;
      try {
        return await this.#keptFor(target, wish).get();
      } catch (error) {
        if (!waitForApproval || !(error instanceof ApprovalNeeded)) throw error;
        if (waitForApproval !== true) waitForApproval(error);
        await this.untilApproved(error);
      }
    }
  }
  /**
   * Resolves once people have agreed to what was refused with this error: ask for the same again then, within the few minutes for which
   * their yes can be used. Throws NotApproved, TaskEnded, and what every question to the broker throws.
   */
  async untilApproved({ approvalId }, { signal } = {}) {
    const either = signal ? AbortSignal.any([signal, this.signal]) : this.signal;
    const wait = answerWait(this.#connection, approvalId, either);
    for (;;) {
      this.#assertWanted();
      const state = await wait();
      this.#assertWanted();
      if (state === 'approved' || state === 'used') return;
      if (state === 'cancelled') await this.#assertNotOver(either);
      if (state !== 'pending') throw new NotApproved(approvalId, state);
    }
  }
  #assertWanted() {
    if (this.#over) throw this.#over;
  }
  /** A question ends with its task, and an agent whose task is over has to know that. */
  async #assertNotOver(signal) {
    const task = await ask(this.#connection, { path: `/tasks/${this.#id}`, prove: asBearer(), signal });
    const state = textOf(task['state']);
    if (state !== undefined && !isLive(state)) throw this.#endedByOthers(state);
  }
  /**
   * Forgets what is kept for the target, for example because it answered 401. A credential that is named is given back, unless
   * another caller was faster: one that nobody can use must not count against the limit of the task.
   */
  discard(target, wish = {}, refused) {
    if (this.#keptFor(target, wish).discard(refused) && refused) void this.#giveBack(refused).catch(() => undefined);
  }
  /**
   * Asks the broker whether a credential is alive: the answer is true at the moment of the question. A dead one is not handed out
   * again. It is for those who stand in front of an API that never asks. Throws Unavailable or IdentityUnavailable where the broker
   * could not be asked.
   */
  async isAlive(credential) {
    return this.#noticingDeath(credential, await this.#tell('/introspect', credential.token));
  }
  /**
   * Waits for the death of a credential, `seconds` at most (1 to 20). The broker answers in the moment of it. Resolves with whether
   * the credential lives, and for how many milliseconds after the question was sent that is certain. Throws as `isAlive` does, and
   * Refused at a broker that does not know the question.
   * @param instance Names this process in receipts of revocations.
   */
  async untilDead(credential, { seconds, instance, signal }) {
    const prove = asBearer({ body: { token: credential.token, seconds, instance } });
    const answer = await ask(this.#connection, { path: AWAITED, prove, ...(signal && { signal }) });
    const forMs = answer['waitedMs'];
    return { isAlive: this.#noticingDeath(credential, answer), forMs: typeof forMs === 'number' ? forMs : 0 };
  }
  /**
   * Tells the broker that a dead credential is out of use here from this moment on: the receipt of what ended it then says so.
   * @param instance Names this process in the receipt.
   */
  async reportOutOfUse({ token }, instance) {
    const since = elapsed();
    // The waiting is counted anew before each attempt.
    const body = () => ({ token, deniedMs: Math.round(elapsed() - since), instance });
    await ask(this.#connection, { path: AWAITED, prove: (identity) => asBearer({ body: body() })(identity) });
  }
  /**
   * Ends the task, and with it every credential of it. To end what is over already changes nothing. When it throws, the broker may not
   * know: nothing more is asked for here, and what was issued lives on until complete() is called again, or the broker ends the task.
   */
  async complete(outcome = 'completed', reason) {
    if (this.#isSettled) return;
    this.#stop(new TaskEnded(this.#id, outcome));
    await this.#opening?.catch(() => undefined);
    const body = { outcome, ...(reason !== undefined && { reason }) };
    if (this.#id !== undefined) await this.#call('complete', body);
    this.#isSettled = true;
  }
  /** Hands the task over to another process: the heartbeat stops here, and nothing is ended. Returns the id of the task. */
  leave() {
    this.#isSettled = true;
    this.#stop(new MayflyError('The task was left: whoever it was handed to goes on with it.'));
    return this.#id;
  }
  /** A scope that is left without complete() and leave() has failed: `await using` cannot tell a return from a throw. */
  async [Symbol.asyncDispose]() {
    await this.complete('failed');
  }
  #keptFor(target, wish) {
    const wanted = { resource: target, ...parametersOf(wishOf(wish)) };
    const key = JSON.stringify(wanted);
    const known = this.#credentials.get(key);
    if (known) return known;
    // An agent may touch a million things in turn: what is over is forgotten, or it would fill the memory.
    for (const [old, { isIdle }] of this.#credentials) if (isIdle) this.#credentials.delete(old);
    const kept = new KeptCredential(() => this.#issue(wanted));
    this.#credentials.set(key, kept);
    return kept;
  }
  async #issue(wanted) {
    // Credentials that are asked for at the same time must not open two tasks.
    while (this.#opening) await this.#opening.catch(() => undefined);
    if (this.#over) throw this.#over;
    if (this.#id !== undefined) return this.#exchange(wanted, { task_id: this.#id });
    const { purpose } = this.#unopened ?? {};
    const opening = this.#exchange(wanted, purpose === undefined ? {} : { purpose });
    this.#opening = opening;
    return opening.finally(() => (this.#opening = undefined));
  }
  async #exchange(wanted, under) {
    const isOpening = 'purpose' in under || this.#handedOn !== undefined;
    const prove = async (workload) => ({
      body: await this.#form(workload, { ...wanted, ...under }),
      // The same request, sent again because its answer was lost, must not open a second task.
      ...(isOpening && { headers: { 'Idempotency-Key': key } }),
    });
    const key = `${this.#opener}-${createHash('sha256').update(JSON.stringify(wanted)).digest('base64url')}`;
    const asking = ask(this.#connection, { path: '/token', prove, signal: this.signal });
    const answer = await this.#noticingTheEnd(this.#noticingItsTask(asking));
    const { issued, task } = issuedIn(answer);
    this.#id ??= task;
    // Meanwhile it may have been completed or left here.
    if (this.#over) throw this.#over;
    return issued;
  }
  /** What waits for people waits under a task, which is open from then on: the same is asked for under that one. */
  async #noticingItsTask(answer) {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof ApprovalNeeded) this.#id ??= error.task;
      throw error;
    }
  }
  async #form(workload, parameters) {
    const source = this.#unopened?.person;
    const handedOn = this.#handedOn;
    const person = handedOn === undefined && source ? await tokenFrom(source, 'person') : undefined;
    return exchangeForm({ workload, person, handedOn }, parameters);
  }
  /** The credential that opens the task, as long as it is not open: from then on the task is this workload's own. */
  get #handedOn() {
    return this.#id === undefined ? this.#unopened?.handedOn : undefined;
  }
  async #beat() {
    // A broker that answers slowly is not asked again meanwhile.
    if (this.#isBeating) return;
    this.#isBeating = true;
    try {
      const state = textOf((await this.#call('heartbeat', {}))['state']);
      this.#heartbeatFailure = undefined;
      // What was issued is dead, and stays dead when the task is resumed.
      if (state === 'suspended') this.#credentials.clear();
      if (state !== undefined && !isLive(state)) this.#endedByOthers(state);
    } catch (error) {
      // The broker allows for some that are missing, and the next one may arrive.
      this.#heartbeatFailure = error;
    } finally {
      this.#isBeating = false;
    }
  }
  /** A dead credential is not handed out again. */
  #noticingDeath(credential, { active }) {
    if (active !== true) for (const kept of this.#credentials.values()) kept.discard(credential);
    return active === true;
  }
  /** RFC 7009: the broker ends the credential. If it cannot be told, the credential ends by itself. */
  async #giveBack({ token }) {
    await this.#tell('/revoke', token);
  }
  #tell(path, token) {
    return ask(this.#connection, { path, prove: asBearer({ body: new URLSearchParams({ token }) }) });
  }
  #call(verb, body) {
    return ask(this.#connection, { path: `/tasks/${this.#id}/${verb}`, prove: asBearer({ body }) });
  }
  /** Turns the refusal of a task that is over into TaskEnded. */
  async #noticingTheEnd(answer) {
    try {
      return await answer;
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== 'invalid_grant') throw error;
      throw this.#endedByOthers(undefined, error);
    }
  }
  #endedByOthers(outcome, cause = this.#heartbeatFailure) {
    this.#isSettled = true;
    const ended = this.#over ?? new TaskEnded(this.#id, outcome, cause);
    if (!this.#over) {
      this.#stop(ended);
      this.#ended.abort(ended);
    }
    return ended;
  }
  #stop(why) {
    this.#over ??= why;
    clearInterval(this.#heartbeat);
    this.#credentials.clear();
  }
}

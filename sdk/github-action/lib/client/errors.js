import { oneLine } from '../domain/text.js';
export class MayflyError extends Error {
  name = 'MayflyError';
  /** The message may have texts of whatever answered: in a terminal or a log it is one line, and drives nothing. */
  constructor(message, options) {
    super(oneLine(message), options);
  }
}
/** The broker was asked and said no. The message is its sentence. */
export class Refused extends MayflyError {
  name = 'Refused';
  /** A code of docs/errors.md, such as `access_denied`. */
  code;
  status;
  retry;
  /** Seconds, where the broker said when to ask again. */
  retryAfterSeconds;
  /** Show it to whoever writes the policies. */
  decisionId;
  /** Show it to whoever runs the broker: its log has it. */
  requestId;
  constructor(message, details) {
    super(message);
    this.code = details.code;
    this.status = details.status;
    this.retry = details.retry;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.decisionId = details.decisionId;
    this.requestId = details.requestId;
  }
}
/**
 * People must agree first, and are asked. `task.untilApproved(error)` waits for them; then the same can be asked for again. Nobody is
 * asked twice about the same.
 */
export class ApprovalNeeded extends Refused {
  name = 'ApprovalNeeded';
  /** `apr_…`: the question. */
  approvalId;
  /** The task under which the same is to be asked for again. */
  task;
  constructor(message, { approvalId, task, ...details }) {
    super(message, details);
    this.approvalId = approvalId;
    this.task = task;
  }
}
/** People were asked, and have not agreed: they refused, nobody answered in time, or the question was taken back. */
export class NotApproved extends MayflyError {
  name = 'NotApproved';
  approvalId;
  /** `denied`, `expired` or `cancelled`. */
  state;
  constructor(approvalId, state) {
    super(`People have not agreed (${approvalId}): ${state}.`);
    this.approvalId = approvalId;
    this.state = state;
  }
}
/**
 * The task is over, so nothing more can be asked for under it and all its credentials are dead. This is not the expiry of a
 * credential: the client renews those by itself.
 */
export class TaskEnded extends MayflyError {
  name = 'TaskEnded';
  task;
  /** `completed`, `failed`, `cancelled`, `expired` or `revoked`; undefined where the broker did not say. */
  outcome;
  constructor(task, outcome, cause) {
    super(`The task ${task ?? '(not opened yet)'} has ended${outcome === undefined ? '' : `: ${outcome}`}.`, { cause });
    this.task = task;
    this.outcome = outcome;
  }
}
/** The source of a token gave none: for example a file that is just being written. Nothing was asked for. */
export class IdentityUnavailable extends MayflyError {
  name = 'IdentityUnavailable';
}
/** The broker could not be asked, or gave no answer that makes sense. What was asked may or may not have happened. */
export class Unavailable extends MayflyError {
  name = 'Unavailable';
  /** Whether it may be different a moment later; false for example after a redirect. */
  mayPass;
  /** Seconds, where whatever answered said when to ask again. */
  retryAfterSeconds;
  constructor(message, { mayPass = true, retryAfterSeconds, cause } = {}) {
    super(message, { cause });
    this.mayPass = mayPass;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
/** Returns whether the same request may succeed a moment later: the broker said so, or has not answered at all. */
export function mayPass(error) {
  if (error instanceof Refused) return error.retry === 'later';
  return error instanceof IdentityUnavailable || (error instanceof Unavailable && error.mayPass);
}
/** Returns the seconds after which to ask again, where the answer said so. */
export const retryAfterOf = (error) =>
  error instanceof Refused || error instanceof Unavailable ? error.retryAfterSeconds : undefined;

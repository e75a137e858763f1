/** What a client of the broker can meet. All are subclasses of MayflyError, so one `catch` can tell them from everything else. */
import type { Retry } from '../domain/retry.js';
import { oneLine } from '../domain/text.js';

export class MayflyError extends Error {
  override name = 'MayflyError';

  /** The message may have texts of whatever answered: in a terminal or a log it is one line, and drives nothing. */
  constructor(message: string, options?: ErrorOptions) {
    super(oneLine(message), options);
  }
}

interface RefusalDetails {
  status: number;
  code: string;
  retry: Retry;
  retryAfterSeconds: number | undefined;
  decisionId: string | undefined;
  requestId: string | undefined;
}

/** The broker was asked and said no. The message is its sentence. */
export class Refused extends MayflyError {
  override name = 'Refused';
  /** A code of docs/errors.md, such as `access_denied`. */
  readonly code: string;
  readonly status: number;
  readonly retry: Retry;
  /** Seconds, where the broker said when to ask again. */
  readonly retryAfterSeconds: number | undefined;
  /** Show it to whoever writes the policies. */
  readonly decisionId: string | undefined;
  /** Show it to whoever runs the broker: its log has it. */
  readonly requestId: string | undefined;

  constructor(message: string, details: RefusalDetails) {
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
  override name = 'ApprovalNeeded';
  /** `apr_…`: the question. */
  readonly approvalId: string;
  /** The task under which the same is to be asked for again. */
  readonly task: string;

  constructor(
    message: string,
    { approvalId, task, ...details }: RefusalDetails & { approvalId: string; task: string },
  ) {
    super(message, details);
    this.approvalId = approvalId;
    this.task = task;
  }
}

/** People were asked, and have not agreed: they refused, nobody answered in time, or the question was taken back. */
export class NotApproved extends MayflyError {
  override name = 'NotApproved';
  readonly approvalId: string;
  /** `denied`, `expired` or `cancelled`. */
  readonly state: string;

  constructor(approvalId: string, state: string) {
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
  override name = 'TaskEnded';
  readonly task: string | undefined;
  /** `completed`, `failed`, `cancelled`, `expired` or `revoked`; undefined where the broker did not say. */
  readonly outcome: string | undefined;

  constructor(task: string | undefined, outcome: string | undefined, cause?: unknown) {
    super(`The task ${task ?? '(not opened yet)'} has ended${outcome === undefined ? '' : `: ${outcome}`}.`, { cause });
    this.task = task;
    this.outcome = outcome;
  }
}

/** The source of a token gave none: for example a file that is just being written. Nothing was asked for. */
export class IdentityUnavailable extends MayflyError {
  override name = 'IdentityUnavailable';
}

/** The broker could not be asked, or gave no answer that makes sense. What was asked may or may not have happened. */
export class Unavailable extends MayflyError {
  override name = 'Unavailable';
  /** Whether it may be different a moment later; false for example after a redirect. */
  readonly mayPass: boolean;
  /** Seconds, where whatever answered said when to ask again. */
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, { mayPass = true, retryAfterSeconds, cause }: Circumstances = {}) {
    super(message, { cause });
    this.mayPass = mayPass;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

interface Circumstances {
  mayPass?: boolean;
  retryAfterSeconds?: number | undefined;
  cause?: unknown;
}

/** Returns whether the same request may succeed a moment later: the broker said so, or has not answered at all. */
export function mayPass(error: unknown): boolean {
  if (error instanceof Refused) return error.retry === 'later';
  return error instanceof IdentityUnavailable || (error instanceof Unavailable && error.mayPass);
}

/** Returns the seconds after which to ask again, where the answer said so. */
export const retryAfterOf = (error: unknown): number | undefined =>
  error instanceof Refused || error instanceof Unavailable ? error.retryAfterSeconds : undefined;

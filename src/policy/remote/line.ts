/** The line to a policy engine in another process: asks it, and knows by which policies it answered last. */
import { sha256 } from '../../domain/digest.js';
import type { PolicySilence } from '../../domain/policy-outcome.js';
import type { SendKept } from '../../outbound/kept-connections.js';
import type { TimeLimit } from '../policy-engine.js';
import { NEVER_DELAYED, type PolicyQuery } from '../query.js';
import type { Answer } from './answer.js';
import type { DecisionPoint } from './decision-point.js';
import { lane } from './lane.js';
import { questionOf, type ToldTarget } from './question.js';
import { Unanswered } from './unanswered.js';

export interface LineOptions {
  point: DecisionPoint;
  targets: readonly ToldTarget[];
  /** Returns a time in milliseconds that only goes forward. */
  elapsed: () => number;
  /** Called before each question. */
  onQuestion?: () => void;
  onUnanswered?: (reason: PolicySilence) => void;
}

interface Line {
  /** Rejects with `Unanswered`. */
  ask(query: PolicyQuery, timeLimit?: TimeLimit): Promise<Decided>;
  /** What was heard last; undefined before the first answer. */
  heard(): Heard | undefined;
  /** Whether the engine need not be asked only to see that it answers: it has, lately, and nothing has failed since. */
  isFine(): boolean;
}

interface Heard {
  /** What the engine calls the policies that decided. */
  named: string;
  /** SHA-256 of that, and of what the configuration says of targets. */
  digest: string;
}

interface Decided extends Heard {
  answer: Answer;
}

const QUIET_MS = 10_000;

/** @param facts What else of the configuration decides. */
export function lineTo(options: LineOptions, facts: unknown): Line {
  const { point, elapsed, onQuestion = () => undefined, onUnanswered = () => undefined } = options;
  const targets = new Map(options.targets.map((target) => [target.resource, target]));
  const configured = sha256(JSON.stringify([options.targets.map(factsOf), facts]));
  // A flood of whatever else must not keep a revocation waiting. No rate limits who asks for one: its part of the lane does.
  const lanes = {
    access: lane({ connections: 32, questions: 256, ofParty: { connections: 16, questions: 128 } }),
    operate: lane({ connections: 16, questions: 128, ofParty: { connections: 8, questions: 64 } }),
    ending: lane({ connections: 64, questions: 512, ofParty: { connections: 8, questions: 32 } }),
  };
  let last: (Heard & { at: number }) | undefined;
  let isFailing = false;

  const heardFrom = (answer: Answer): Heard => {
    const named = answer.named ?? UNNAMED;
    if (last?.named === named) return last;
    // The same policies at another address are the same.
    return { named, digest: sha256(JSON.stringify([answer.named ?? point.place, configured])) };
  };

  return {
    async ask(query, timeLimit) {
      onQuestion();
      try {
        const question = questionOf(query, targets);
        const by = lanes[laneOf(query)];
        const answer = await by.take(query.principal.id, (send) => point.ask(question, within(timeLimit, send)));
        const { named, digest } = heardFrom(answer);
        last = { named, digest, at: elapsed() };
        isFailing = false;
        return { answer, named, digest };
      } catch (error) {
        isFailing = true;
        if (error instanceof Unanswered) onUnanswered(error.reason);
        throw error;
      }
    },
    heard: () => last,
    isFine: () => last !== undefined && !isFailing && elapsed() - last.at < QUIET_MS,
  };
}

/** An action that policy can grant may have the name of no verb. */
const laneOf = ({ action, context: { kind } }: PolicyQuery) =>
  kind === 'operate' && NEVER_DELAYED.has(action) ? 'ending' : kind;

/** Returns the way to send that gives up a request when the time of its whole decision is over. */
const within =
  (limit: TimeLimit | undefined, send: SendKept): SendKept =>
  async (outbound) => {
    const leftMs = Math.ceil(limit?.leftMs() ?? outbound.totalMs);
    if (leftMs <= 0) throw new Unanswered('timeout', 'The policy engine did not answer in time.');
    return send({ ...outbound, totalMs: Math.min(outbound.totalMs, leftMs) });
  };

/** What the audit log has in place of a name. */
const UNNAMED = 'not named by the engine';

const factsOf = ({ resource, labels, tags }: ToldTarget) => [resource, labels, tags];

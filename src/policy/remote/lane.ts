/**
 * A way to the policy engine that only so many questions take at once, and of one party only a part of them. An engine that hangs holds
 * each of them for its time limit: the rest are refused at once, so that they hold no memory.
 */
import PQueue from 'p-queue';
import { keepConnections, type SendKept } from '../../outbound/kept-connections.js';
import { Unanswered } from './unanswered.js';

interface Lane {
  /** @param party The id of who asks. */
  take<T>(party: string, ask: (send: SendKept) => Promise<T>): Promise<T>;
}

interface Width {
  connections: number;
  /** So many are under way, or wait for a connection. */
  questions: number;
}

/** @param ofParty What one party has of it at most: so nobody can fill it alone, also not with what the engine hangs on. */
export function lane({ connections, questions, ofParty }: Width & { ofParty: Width }): Lane {
  const send = keepConnections(connections);
  let underWay = 0;
  const parties = new Map<string, { turns: PQueue; underWay: number }>();
  return {
    async take(party, ask) {
      const own = parties.get(party) ?? { turns: new PQueue({ concurrency: ofParty.connections }), underWay: 0 };
      if (underWay >= questions) throw busy(questions);
      if (own.underWay >= ofParty.questions) throw busy(ofParty.questions, ' of one party');
      parties.set(party, own);
      underWay += 1;
      own.underWay += 1;
      try {
        return await own.turns.add(() => ask(send));
      } finally {
        underWay -= 1;
        own.underWay -= 1;
        if (own.underWay === 0) parties.delete(party);
      }
    },
  };
}

const busy = (most: number, of = ''): Unanswered =>
  new Unanswered('busy', `The policy engine has ${most} questions${of} that it has not answered.`);

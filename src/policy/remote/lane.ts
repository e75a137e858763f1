/**
 * A way to the policy engine that only so many questions take at once. An engine that hangs holds each of them for its time limit:
 * the rest are refused at once, so that they hold no memory.
 */
import { keepConnections, type SendKept } from '../../outbound/kept-connections.js';
import { Unanswered } from './unanswered.js';

interface Lane {
  take<T>(ask: (send: SendKept) => Promise<T>): Promise<T>;
}

export function lane({ connections, questionsMax }: { connections: number; questionsMax: number }): Lane {
  const send = keepConnections(connections);
  let underWay = 0;
  return {
    async take(ask) {
      if (underWay >= questionsMax)
        throw new Unanswered('busy', `The policy engine has ${questionsMax} questions that it has not answered.`);
      underWay += 1;
      try {
        return await ask(send);
      } finally {
        underWay -= 1;
      }
    },
  };
}

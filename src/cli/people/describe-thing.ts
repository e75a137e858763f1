/** Asks the broker about one thing: what it is, whether it lives, whose it is, what it hangs on, and how to end it. */
import type { Connection } from './connection.js';
import {
  describeDecision,
  describeRefusal,
  describeRequest,
  describeSignal,
  EMAIL_ADDRESS,
} from './describe-recorded.js';
import {
  describeApproval,
  describeCredential,
  describeName,
  describeRevocation,
  describeTask,
  describeToken,
} from './describe-revocable.js';
import type { Described } from './lines.js';
import type { Thing } from './recognise.js';

/** Throws NotAnswered where the broker refuses, or knows no such thing, or does not show it to this caller. */
export function describeThing(thing: Thing, text: string, connection: Connection): Promise<Described> {
  switch (thing.is) {
    case 'token':
      return describeToken(text, connection);
    case 'credential':
      return describeCredential(thing.id, connection);
    case 'task':
      return describeTask(thing.id, connection);
    case 'decision':
      return describeDecision(thing.id, connection);
    case 'signal':
      return describeSignal(thing.id, connection);
    case 'approval':
      return describeApproval(thing.id, connection);
    case 'request':
      return describeRequest(thing.id, connection);
    case 'revocation':
      return describeRevocation(thing.seq, connection);
    case 'name':
      return describeName(thing.selectors, connection);
    case 'refusal':
      return describeRefusal(thing.code, connection);
    default:
      return Promise.resolve(EMAIL_ADDRESS);
  }
}

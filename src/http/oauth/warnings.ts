/**
 * Parameters of POST /token that nothing reads. RFC 6749 §3.2 wants them ignored, but whoever writes `ttl=30` believes that the
 * credential lives for 30 seconds. So the answer names them, as RFC 6749 §5.1 lets clients ignore.
 */
import { didYouMean, nearNames } from '../../domain/near-names.js';
import { isParameterName, type Form } from '../wire/body.js';

/** Names that other brokers and clouds use, and what they mean here. */
const MEANT: ReadonlyMap<string, string> = new Map([
  ['ttl', 'lifetime'],
  ['duration', 'lifetime'],
  ['expires_in', 'lifetime'],
  ['lifetime_seconds', 'lifetime'],
  ['target', 'resource'],
  ['task', 'task_id'],
]);

const WARNINGS_MOST = 4;

/** Returns one sentence for each parameter that was sent and not read, and one for those beyond four or without a usual name. */
export function warningsOf(form: Pick<Form, 'unread' | 'missed'>): string[] {
  const unread = form.unread();
  const named = unread.filter(isParameterName).slice(0, WARNINGS_MOST);
  const others = unread.length - named.length;
  return [
    ...named.map((name) => `The parameter ${name} is not read.${didYouMean(meantBy(name, form.missed()))}`),
    ...(others > 0 ? [`Further parameters that are not read, and not named here: ${others}.`] : []),
  ];
}

function meantBy(name: string, missed: readonly string[]): string[] {
  const meant = MEANT.get(name) ?? '';
  return missed.includes(meant) ? [meant] : nearNames(name, missed);
}

/**
 * An error that AWS or its SDK reports, reduced to parts that are checked here. The SDK's errors carry response bodies, and
 * their messages quote an answer that is no XML. A log would show them, so nothing else of them is passed on.
 */
import { z } from 'zod';
import { defined } from '../../domain/defined.js';

export interface Answer {
  /** The name of the error without "Exception", since AWS uses both spellings. `Unreachable`: there was no definite answer. */
  name: string;
  /** Whether it is certain that AWS did nothing: it refused, and there was only this one attempt. */
  refused: boolean;
  /** The first percentage in the message, which says how large something was. */
  percent?: number;
  /** The error for the log. It contains names and numbers only. */
  trace: Error;
}

const sdkErrorSchema = z.object({
  name: z.string().regex(/^\w{1,64}$/),
  message: z.string().catch(''),
  code: z
    .string()
    .regex(/^\w{1,64}$/)
    .optional()
    .catch(undefined),
  $metadata: z
    .object({
      httpStatusCode: z.int().optional().catch(undefined),
      attempts: z.int().optional().catch(undefined),
      requestId: z
        .string()
        .regex(/^[\w-]{1,64}$/)
        .optional()
        .catch(undefined),
    })
    .catch({}),
});
type SdkError = z.output<typeof sdkErrorSchema>;

export function answerOf(service: 'STS' | 'IAM', thrown: unknown): Answer {
  const { data: error } = sdkErrorSchema.safeParse(thrown);
  if (!error) return { name: UNREACHABLE, refused: false, trace: new Error(`${service}: no intelligible answer`) };
  const { httpStatusCode: status = 0, attempts, requestId } = error.$metadata;
  const definite = status >= 400 && status < 500 && status !== 408;
  const percent = /(\d{1,4}) ?%/.exec(error.message)?.[1];
  const facts = [
    `${service}: ${error.name}`,
    ...(error.code !== undefined && error.code !== error.name ? [error.code] : []),
    ...(status > 0 ? [`HTTP ${status}`] : []),
    ...(attempts === undefined ? [] : [`attempt ${attempts}`]),
    ...(requestId === undefined ? [] : [`request ${requestId}`]),
  ];
  return defined({
    name: nameOf(error, definite),
    refused: definite && attempts === 1,
    percent: percent === undefined ? undefined : Number(percent),
    trace: new Error(facts.join(', ')),
  });
}

export const UNREACHABLE = 'Unreachable';
/**
 * AWS could not fetch the broker's keys, which often works a moment later. AWS uses the same error name for a token that is
 * really wrong; only the message distinguishes them.
 */
export const KEY_NOT_RETRIEVED = 'VerificationKeyNotRetrieved';

function nameOf({ name, message, $metadata }: SdkError, definite: boolean): string {
  const plain = name.replace(/Exception$/, '');
  if (plain === 'InvalidIdentityToken' && message.includes("Couldn't retrieve verification key"))
    return KEY_NOT_RETRIEVED;
  if ($metadata.httpStatusCode === 429 || THROTTLED.has(plain)) return 'Throttling';
  return definite ? plain : UNREACHABLE;
}

const THROTTLED = new Set([
  'Throttling',
  'Throttled',
  'RequestThrottled',
  'RequestLimitExceeded',
  'TooManyRequests',
  'SlowDown',
]);

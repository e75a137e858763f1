/**
 * What AWS answered instead of what was asked. Of the SDK's errors nothing is passed on but words checked here: they carry
 * bodies, a broken XML answer is quoted in their messages, and a log shows the messages of plain Errors.
 */
import { defined } from '../../domain/defined.js';
import { z } from 'zod';

export interface Answer {
  /** Without "Exception": AWS uses both spellings. `Unreachable` where there was no definite answer. */
  name: string;
  /** AWS said no to the only attempt there was: it surely did nothing. */
  refused: boolean;
  /** The first percentage in the message: how large something was. */
  percent?: number;
  /** For the log: names and numbers only. */
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
/** AWS files this passing failure under the same name as a token that is really wrong; only the message tells them apart. */
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

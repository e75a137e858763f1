/** What the operator should know and the caller need not: a closed list, to be logged and counted. Contains no secret. */
export interface AwsTrouble {
  /** The ARN of the target's role. */
  target: string;
  what:
    | 'trust-policy'
    | 'identity-provider'
    | 'region-disabled'
    | 'clock'
    | 'refused-as-malformed'
    | 'throttled'
    | 'session-size'
    | 'revoker-session'
    | 'deny-policy';
  /** What to look at, as a sentence. */
  advice: string;
  /** What AWS answered: the name of its error, the HTTP status, the id of the request. */
  answer?: string;
}

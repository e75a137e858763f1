/** Session tags and the source identity, with AWS's rules for their characters and lengths. */
import { AwsError, validationError } from './aws-error.js';
import type { Context } from './condition.js';

export interface SessionTags {
  /** The keys as they were given. AWS compares them without regard to case. */
  values: ReadonlyMap<string, string>;
  /** The keys of the tags that survive role chaining. */
  transitive: readonly string[];
}

const TAGS_MAX = 50;
const KEY = /^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/iu;
const VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u;

/** The rules are documented. Which error AWS answers when one is broken is a guess. */
export function checkTags(pairs: readonly (readonly [string, string])[], transitive: readonly string[]): SessionTags {
  if (pairs.length > TAGS_MAX) throw validationError(`more than ${TAGS_MAX} session tags`);
  const bad = pairs.find(([key, value]) => !KEY.test(key) || !VALUE.test(value));
  if (bad) throw validationError(`session tag ${JSON.stringify(bad[0])} failed to satisfy constraint`);
  const keys = pairs.map(([key]) => key.toLowerCase());
  if (new Set(keys).size !== keys.length)
    throw new AwsError('InvalidParameterValue', 'Duplicate tag keys found. Tag keys are case insensitive.');
  if (!transitive.every((key) => keys.includes(key.toLowerCase())))
    throw new AwsError('InvalidParameterValue', 'A transitive tag key is not among the session tags');
  return { values: new Map(pairs), transitive };
}

/** The tags of a chained session. An inherited tag can be neither replaced nor repeated. */
export function inheritTags(from: SessionTags, own: SessionTags): SessionTags {
  const inherited = [...from.values].filter(([key]) => includesKey(from.transitive, key));
  const clash = inherited.find(([key]) => includesKey([...own.values.keys()], key));
  if (clash)
    throw new AwsError(
      'InvalidParameterValue',
      `Tag key ${clash[0]} is already set as transitive in the calling session`,
    );
  return {
    values: new Map([...inherited, ...own.values]),
    transitive: [...inherited.map(([key]) => key), ...own.transitive],
  };
}

export const requestTagContext = ({ values }: SessionTags): Context =>
  Object.fromEntries([...values].map(([key, value]) => [`aws:RequestTag/${key}`, value]));

/** The form of RoleSessionName and SourceIdentity. */
export function checkName(parameter: string, name: string): string {
  if (!/^[\w+=,.@-]{2,64}$/.test(name)) throw validationError(`Value at '${parameter}' failed to satisfy constraint`);
  return name;
}

const includesKey = (keys: readonly string[], key: string): boolean =>
  keys.some((one) => one.toLowerCase() === key.toLowerCase());

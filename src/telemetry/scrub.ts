/**
 * The last step before a log line is written: whatever looks like a secret is replaced, wherever in the line it is. No
 * secret should get this far. This step is for the day when an upstream message or a careless field contains one.
 */
import { DEFERRAL_CODE } from '../domain/deferral-code.js';

/** The names of fields whose values are secrets, in JSON, in JSON inside a string, and in forms. */
const SECRET_FIELDS = [
  'access_token',
  'subject_token',
  'actor_token',
  'refresh_token',
  'deferral_code',
  'id_token',
  'client_assertion',
  'client_secret',
  'assertion',
  'token',
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'dpop',
  'password',
  'secret',
  'SecretAccessKey',
  'SessionToken',
  'keyEncryptionKey',
  'leaked',
].join('|');

const REDACTED = '[redacted]';

const named = (before: string, after: string): RegExp => new RegExp(`${before}(?:${SECRET_FIELDS})${after}`, 'gi');

/** Every pattern takes time linear in the line's length, because attackers choose its content and its length. */
const RULES: [RegExp, string][] = [
  [named(String.raw`("`, String.raw`"\s*:\s*)"(?:[^"\\]|\\.)*"`), `$1"${REDACTED}"`],
  [named(String.raw`("`, String.raw`"\s*:\s*)\[[^\]]*\]`), `$1["${REDACTED}"]`],
  [named(String.raw`(\\"`, String.raw`\\+"\s*:\s*\\+")[^"\\]*`), `$1${REDACTED}`],
  [named(String.raw`\b(`, String.raw`=)[^&\s"\\]+`), `$1${REDACTED}`],
  [/\b(Bearer|DPoP)\s[\w.~+/=-]{20,}/gi, `$1 ${REDACTED}`],
  // JWS and JWE: a JSON header in base64url, or three long segments with any content.
  [/eyJ[\w-]{8,}(?:\.[\w-]*)*/g, '[jwt]'],
  [/(?<![\w-])[\w-]{16,}\.[\w-]{16,}\.[\w-]{16,}(?:\.[\w-]+)*/g, '[jwt]'],
  [new RegExp(DEFERRAL_CODE, 'g'), '[deferral-code]'],
  [/("d\\*":\\*")[\w-]{20,}/g, `$1${REDACTED}`],
  [/(?<![A-Z0-9])A(?:KIA|SIA)[A-Z0-9]{16}(?![A-Z0-9])/g, '[aws-key-id]'],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[^"\\]|\\[^"])*/g, '[private-key]'],
  [/(:\/\/)[^\s/@"\\]*@/g, `$1${REDACTED}@`],
];

export const scrub = (line: string): string => RULES.reduce((text, [pattern, by]) => text.replace(pattern, by), line);

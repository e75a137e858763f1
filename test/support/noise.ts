/** Bodies full of mistakes, as large as fits into so many bytes. Each has a mark to be recognised by. */
import { TICKETS } from './brokers/http.js';

const repeated = (unit: string, bytes: number, [open, close] = ['', '']): string =>
  `${open}${unit.repeat(Math.max(0, Math.floor((bytes - open.length - close.length - unit.length) / unit.length)))}${close}`;
export const nested = (bytes: number): string => {
  const depth = Math.floor(bytes / 8);
  return `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
};

/** Lists and objects full of mistakes, as large as fits; each with a mark to be recognised by. */
export const MARK = 'noise';
const JSON_NOISE: Record<string, (bytes: number) => string> = {
  'empty objects': (bytes) => repeated('{},', bytes, [`["${MARK}",`, '{}]']),
  numbers: (bytes) => repeated('1,', bytes, [`["${MARK}",`, '1]']),
  depth: (bytes) => `["${MARK}",${nested(bytes - 20)}]`,
  'actions of one detail': (bytes) =>
    repeated('1,', bytes, [
      `[{"type":"task_access","locations":["${TICKETS}"],"identifier":"${MARK}","actions":[`,
      '1]}]',
    ]),
};

/** A JSON body with the noise in every field that is an object or a list anywhere, or with names that nobody knows. */
const inFields = (noise: string): string =>
  ['access', 'selector', 'subject', 'heartbeat', 'reason', 'leaked'].reduce(
    (text, name, index) => (index === 0 ? `{"${name}":${noise}` : `${text},"${name}":1`),
    '',
  ) + '}';
export const JSON_BODIES: [string, (bytes: number) => string][] = [
  ...Object.entries(JSON_NOISE).map(([name, noise]): [string, (bytes: number) => string] => [
    name,
    (bytes) => inFields(noise(bytes - 100)),
  ]),
  [
    'a subject that is too deep',
    (bytes) => `{"id":"1","event":"session-revoked","subject":{"format":"opaque","a":${nested(bytes - 100)}}}`,
  ],
  [
    'unknown fields',
    (bytes) => `{"${MARK}":1${Array.from({ length: Math.floor(bytes / 12) }, (_, n) => `,"a${n}":1`).join('')}}`,
  ],
  ['a list', (bytes) => repeated('{},', bytes, ['[', '{}]'])],
];

const keyIds = (bytes: number): string =>
  Array.from(
    { length: Math.floor(bytes / 18) },
    (_, n) => `ASIA${n.toString(32).toUpperCase().padStart(13, 'X')}`,
  ).join('+');
export const FORM_NOISE: [string, (bytes: number) => string][] = [
  ...Object.entries(JSON_NOISE).map(([name, noise]): [string, (bytes: number) => string] => [
    name,
    (bytes) => `authorization_details=${noise(bytes - 30).replaceAll('"', '%22')}`.slice(0, bytes),
  ]),
  ['scopes', (bytes) => `scope=${repeated('noise:!+', bytes - 10)}`],
  ['key ids', (bytes) => `token=${keyIds(bytes - 10)}`],
  ['parameters', (bytes) => Array.from({ length: Math.floor(bytes / 8) }, (_, n) => `p${n}=1`).join('&')],
];

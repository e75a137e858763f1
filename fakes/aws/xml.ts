/** XML as the query protocols use it: elements contain text or elements, and the only attribute is the namespace. */
import { randomUUID } from 'node:crypto';
import type { AwsError } from './aws-error.js';

export interface Fields {
  [name: string]: string | number | undefined | Fields;
}

export function answerXml(operation: string, namespace: string, result: Fields | undefined): string {
  const inner = { ...(result && { [`${operation}Result`]: result }), ResponseMetadata: { RequestId: randomUUID() } };
  return element(`${operation}Response`, render(inner), namespace);
}

export function errorXml({ code, message, status }: AwsError, namespace: string): string {
  const error = { Type: status < 500 ? 'Sender' : 'Receiver', Code: code, Message: message };
  return element('ErrorResponse', render({ Error: error, RequestId: randomUUID() }), namespace);
}

function render(fields: Fields): string {
  return Object.entries(fields)
    .map(([name, value]) => {
      if (value === undefined) return '';
      return element(name, typeof value === 'object' ? render(value) : escape(String(value)));
    })
    .join('');
}

const element = (name: string, content: string, namespace?: string): string =>
  `<${name}${namespace === undefined ? '' : ` xmlns="${namespace}"`}>${content}</${name}>`;

const escape = (text: string): string =>
  text.replace(/[&<>"\r]/g, (character) => `&#${String(character.charCodeAt(0))};`);

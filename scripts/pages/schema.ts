/** A JSON Schema as a Markdown list: one item a field, its fields below it. */
import type { JsonSchema } from '../../src/http/openapi/components.js';

/** Returns one line for each field, indented. `?` marks what may be left out. */
export function fieldsOf(schema: JsonSchema, indent = ''): string[] {
  const { properties = {}, required = [] } = schema;
  return Object.entries(properties).flatMap(([name, field]) => {
    const mark = required.includes(name) ? '' : '?';
    return [`${indent}- \`${name}\`${mark}: ${sentence(field)}`, ...below(field, `${indent}  `)];
  });
}

/** What lies within a field, whichever way it is wrapped. */
function below(schema: JsonSchema, indent: string): string[] {
  const { items, additionalProperties } = schema as { items?: JsonSchema; additionalProperties?: JsonSchema | boolean };
  if (schema.properties) return fieldsOf(schema, indent);
  if (items) return below(items, indent);
  if (typeof additionalProperties === 'object') return below(additionalProperties, indent);
  const alternatives = alternativesOf(schema).filter(({ type }) => type !== 'null');
  if (alternatives.length === 1) return below(alternatives[0] ?? {}, indent);
  return alternatives.flatMap((one) => [`${indent}- ${sentence(one)}`, ...below(one, `${indent}  `)]);
}

/** Returns what a value is and means: `time. When it was published.` */
export function sentence(schema: JsonSchema): string {
  const { description = '', default: fallback } = schema;
  const standard = fallback === undefined ? '' : ` Default: \`${JSON.stringify(fallback).replaceAll('"', '')}\`.`;
  return `${typeOf(schema)}.${description && ` ${description}`}${standard}`;
}

function typeOf(schema: SchemaParts): string {
  const { $ref, enum: values, const: only, type, items } = schema;
  if ($ref !== undefined) return linkTo($ref);
  if (values) return inWords(values.map((value) => `\`${value}\``));
  if (only !== undefined) return `\`${JSON.stringify(only).replaceAll('"', '')}\``;
  const alternatives = alternativesOf(schema);
  if (alternatives.length > 0) return alternativesAsType(alternatives);
  if (type === 'array') return items && Object.keys(items).length > 0 ? `list of ${typeOf(items)}` : 'list';
  return plainType(schema);
}

interface SchemaParts extends JsonSchema {
  $ref?: string;
  enum?: string[];
  const?: unknown;
  type?: string;
  items?: JsonSchema;
  format?: string;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
}

function plainType({ type, format, minimum, maximum, maxLength, not, properties }: SchemaParts): string {
  if (not !== undefined) return 'not allowed';
  if (format === 'date-time') return 'time';
  if (type === 'integer' && maximum !== undefined) return `whole number, ${minimum ?? 0} to ${digits(maximum)}`;
  if (type === 'integer')
    return minimum === undefined || minimum === 0 ? 'whole number' : `whole number from ${minimum}`;
  if (type === 'number') return 'number';
  if (type === 'boolean') return '`true` or `false`';
  if (type === 'object') return properties ? 'object' : 'object of names and values';
  return maxLength === undefined ? 'text' : `text of 1 to ${digits(maxLength)} characters`;
}

/** Alternatives with fields of their own are listed below the field. */
const alternativesAsType = (alternatives: readonly JsonSchema[]): string =>
  alternatives.every(({ properties }) => properties) ? 'one of these' : inWords(alternatives.map(typeWithoutFields));

const typeWithoutFields = (schema: JsonSchema): string => (schema['type'] === 'null' ? '`null`' : typeOf(schema));

const alternativesOf = (schema: JsonSchema): JsonSchema[] => (schema as { anyOf?: JsonSchema[] }).anyOf ?? [];

/** `#/components/schemas/Task` as a link to the section of that name. */
function linkTo(ref: string): string {
  const name = ref.split('/').at(-1) ?? '';
  return name === 'AuditLine' ? '[audit line](audit.md)' : `[${name}](#${name.toLowerCase()})`;
}

const inWords = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;

const digits = (value: number): string => value.toLocaleString('en-GB');

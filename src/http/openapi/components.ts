/** JSON Schema of the zod schemas of a contract. Schemas and responses that several endpoints share are components, written once. */
import { z } from 'zod';

export type Json = Record<string, unknown>;

export interface JsonSchema extends Json {
  properties?: Record<string, JsonSchema>;
  required?: string[];
  description?: string;
}

export interface Components {
  schemas: Record<string, JsonSchema>;
  responses: Record<string, Json>;
}

export const noComponents = (): Components => ({ schemas: {}, responses: {} });

/** Returns the schema of what a client sends. It is closed: a field that it does not name is refused. */
export const requestSchema = (schema: z.ZodType, components: Components) => made(schema, components, 'request');

/** Returns the schema of what a client gets. It is open: a newer broker may add fields. */
export const answerSchema = (schema: z.ZodType, components: Components) => made(schema, components, 'answer');

/** Named schemas become components, and are referred to. */
function made(schema: z.ZodType, { schemas }: Components, of: 'request' | 'answer'): JsonSchema {
  const found = z.toJSONSchema(schema, {
    io: 'input',
    override({ jsonSchema }) {
      // A number in a form or a query string is described as the number that it must be.
      if (jsonSchema.type === 'integer') delete jsonSchema.pattern;
      if (of === 'answer' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      // Every whole number has these bounds, which say nothing to people.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
  const text = JSON.stringify(found).replaceAll('"#/$defs/', '"#/components/schemas/');
  const { $defs = {}, ...rest } = JSON.parse(text) as JsonSchema & { $defs?: Components['schemas'] };
  delete rest['$schema'];
  for (const [name, named] of Object.entries($defs)) {
    // What is both sent and returned is described as it must be sent.
    if (of === 'request' || !(name in schemas)) schemas[name] = named;
  }
  return rest;
}

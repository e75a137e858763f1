/** The one door to the Cedar library: nobody can load it without the guard, because this import stands first. */
import './v8-guard.js';

export {
  policySetTextToParts,
  policyToJson,
  preparsePolicySet,
  schemaToJsonWithResolvedTypes,
  statefulIsAuthorized,
  validate,
} from '@cedar-policy/cedar-wasm/nodejs';
export type {
  CedarValueJson,
  Context,
  DetailedError,
  EntityJson,
  SchemaJson,
  TypeAndId,
} from '@cedar-policy/cedar-wasm/nodejs';

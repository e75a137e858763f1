/** The only import of the Cedar library. The guard is imported first, so the library is never loaded without it. */
import './v8-guard.js';

export {
  isAuthorized,
  policySetTextToParts,
  policyToJson,
  policyToText,
  preparsePolicySet,
  schemaToJsonWithResolvedTypes,
  statefulIsAuthorized,
  validate,
} from '@cedar-policy/cedar-wasm/nodejs';
export type {
  CedarValueJson,
  Clause,
  Context,
  DetailedError,
  EntityJson,
  PolicyJson,
  SchemaJson,
  TypeAndId,
} from '@cedar-policy/cedar-wasm/nodejs';

/**
 * `@mayfly-broker/verifier`: an API in Node decides by itself whether a credential of the broker lives. It needs `jose` alone.
 *
 *     const verifier = createVerifier({
 *       issuer: 'https://mayfly.example',
 *       audience: 'https://tickets.example',
 *       identity: fromFile('/var/run/secrets/mayfly/token'),
 *     });
 *     const claims = await verifier.verify(token, { resource: 'incident/4711', action: 'read' });
 */
export { createVerifier, type Seen, type Verifier, type VerifierOptions } from './verifier.js';
export { covers, type Claims, type GrantedAccess, type Needed } from './claims.js';
export { VerificationError, type VerificationCode, type VerificationReason } from './errors.js';
export type { IdentitySource } from '../client/request.js';
export { fromFile } from '../client/identity/file.js';
export { fromSpiffe } from '../client/identity/spiffe.js';
export { fromAws } from '../client/identity/aws.js';
export { admittedOf, metadataOf, protect, type Admitted, type ProtectOptions } from './http.js';
export { guardTool, mcpTokenVerifier, scopeChallengeOf, type McpAuthInfo, type ToolNeeds } from './mcp.js';

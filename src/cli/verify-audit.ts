/** `mayfly verify-audit`: checks that an export of the audit log is whole, up to a head that the broker signed. */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  jwtVerify,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from 'jose';
import { z } from 'zod';
import { placeSchema } from '../audit/chain.js';
import { AUDIT_HEAD_TYP } from '../audit/head.js';
import { cutLines, verifyExport } from '../audit/verify.js';
import { isSafeOrigin } from '../domain/safe-origin.js';
import type { Terminal } from './terminal.js';

const headSchema = z.object({ head: placeSchema, checkpoint: placeSchema.optional() });

const numberedSchema = z.looseObject({ seq: z.int() });

const RECIPE = `
How to get there, where $IDENTITY may readAudit. The head comes first: it vouches for what was written until then.

  curl -s https://mayfly.example/audit/head -H "Authorization: Bearer $IDENTITY" > head.jwt
  seq=$(node -p 'JSON.parse(Buffer.from(fs.readFileSync("head.jwt", "latin1").split(".")[1], "base64url")).head.seq')
  curl -s "https://mayfly.example/audit?upTo=$seq" \\
    -H "Authorization: Bearer $IDENTITY" -H 'Accept: application/x-ndjson' > audit.ndjson
  curl -s https://mayfly.example/jwks > jwks.json
  mayfly verify-audit audit.ndjson --head head.jwt --jwks jwks.json --issuer https://mayfly.example

Without upTo there are later lines (the reading itself is one). They are counted, and nothing is said of them.`;

export function addVerifyAudit(program: Command, { out }: Terminal): void {
  program
    .command('verify-audit')
    .description('find any edit, removal, reordering or truncation of an exported audit log')
    .argument('<export>', 'the lines of GET /audit, as they came')
    .requiredOption('--head <file>', 'the answer of GET /audit/head, fetched before the export')
    .requiredOption('--jwks <file or url>', "the broker's public keys, as they were when the head was signed")
    .requiredOption('--issuer <url>', 'the `issuer` of the broker whose log it is')
    .addHelpText('after', RECIPE)
    .action(async (file: string, { head: headFile, jwks, issuer }: { head: string; jwks: string; issuer: string }) => {
      const { head, checkpoint } = await signedHead(headFile, await keysAt(jwks), issuer);
      const cut = upTo(head.seq, cutLines(createReadStream(file)));
      const result = await verifyExport(cut.lines, head, checkpoint);
      if (!result.ok) throw new Error(`${file}: line ${result.at} of the log: ${result.reason}`);
      out(`${file}: whole; ${result.entries} entries up to ${head.seq}`);
      const later = cut.later();
      if (later > 0) out(`  ${later} later ${later === 1 ? 'line is' : 'lines are'} not vouched for by this head`);
    });
}

/**
 * Splits an export at the head. The log grows while it is read, so an export may contain later lines; from the first of them on
 * nothing is verified. If somebody slips a later number in earlier, the verified part ends too soon, and verification fails.
 */
function upTo(last: number, lines: AsyncIterable<Uint8Array>) {
  let later = 0;
  async function* vouched() {
    for await (const line of lines) {
      if (later > 0 || numberOf(line) > last) later += 1;
      else yield line;
    }
  }
  return { lines: vouched(), later: () => later };
}

/**
 * Returns the number of a line. A line without one counts as 0, which is not later than any head, so verification sees it
 * and fails.
 */
function numberOf(line: Uint8Array): number {
  try {
    return numberedSchema.parse(JSON.parse(Buffer.from(line).toString('utf8'))).seq;
  } catch {
    return 0;
  }
}

/** Verifies a signed head. It has no expiry: it vouches for its moment as long as somebody keeps the public key. */
async function signedHead(file: string, keys: JWTVerifyGetKey, issuer: string) {
  const token = (await readFile(file, 'utf8')).trim();
  const options = { typ: AUDIT_HEAD_TYP, algorithms: ['ES256'], issuer };
  const { payload } = await jwtVerify(token, keys, options).catch((error: unknown) => {
    throw new Error(
      `${file}: ${isOfAnother(error) ? `a head of another issuer than ${issuer}` : 'not a head signed by these keys'}`,
    );
  });
  return headSchema.parse(payload);
}

const isOfAnother = (error: unknown): boolean =>
  error instanceof errors.JWTClaimValidationFailed && error.claim === 'iss';

/** Whoever answers in place of the broker chooses the keys, and so what is whole: over a network they come by TLS alone. */
async function keysAt(place: string): Promise<JWTVerifyGetKey> {
  if (/^https?:\/\//i.test(place)) {
    const url = new URL(place);
    if (!isSafeOrigin(url.origin)) throw new Error('--jwks is a file or an https URL (http only on loopback).');
    return createRemoteJWKSet(url);
  }
  return createLocalJWKSet(JSON.parse(await readFile(place, 'utf8')) as JSONWebKeySet);
}

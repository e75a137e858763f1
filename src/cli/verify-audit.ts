/** `mayfly verify-audit`: whether an export of the audit log is whole, up to a head that the broker signed. */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { createLocalJWKSet, createRemoteJWKSet, jwtVerify, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { placeSchema } from '../audit/chain.js';
import { cutLines } from '../audit/cut-lines.js';
import { AUDIT_HEAD_TYP } from '../audit/signed-head.js';
import { verifyExport } from '../audit/verify.js';
import type { Terminal } from './terminal.js';

const headSchema = z.object({ head: placeSchema, checkpoint: placeSchema.optional() });

export function addVerifyAudit(program: Command, { out }: Terminal): void {
  program
    .command('verify-audit')
    .description('find any edit, removal, reordering or truncation of an exported audit log')
    .argument('<export>', 'the lines of GET /audit, as they came')
    .requiredOption('--head <file>', 'the answer of GET /audit/head, fetched before the export')
    .requiredOption('--jwks <file or url>', "the broker's public keys, as they were when the head was signed")
    .action(async (file: string, { head: headFile, jwks }: { head: string; jwks: string }) => {
      const { head, checkpoint } = await signedHead(headFile, await keysAt(jwks));
      const result = await verifyExport(cutLines(createReadStream(file)), head, checkpoint);
      if (!result.ok) throw new Error(`${file}: line ${result.at} of the log: ${result.reason}`);
      out(`${file}: whole; ${result.entries} entries up to ${head.seq}`);
    });
}

/** A head has no expiry: it vouches for its moment for as long as somebody keeps the key. */
async function signedHead(file: string, keys: JWTVerifyGetKey) {
  const token = (await readFile(file, 'utf8')).trim();
  const options = { typ: AUDIT_HEAD_TYP, algorithms: ['ES256'] };
  const { payload } = await jwtVerify(token, keys, options).catch(() => {
    throw new Error(`${file}: not a head signed by these keys`);
  });
  return headSchema.parse(payload);
}

async function keysAt(place: string): Promise<JWTVerifyGetKey> {
  if (/^https?:\/\//.test(place)) return createRemoteJWKSet(new URL(place));
  return createLocalJWKSet(JSON.parse(await readFile(place, 'utf8')) as JSONWebKeySet);
}

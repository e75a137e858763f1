/** The audit log is exported and verified; then somebody changes one digit of it. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { z } from 'zod';
import { CLI } from '../places.js';
import type { Stage } from '../stage.js';
import type { Transcript } from '../transcript.js';
import { expectThat } from '../unexpected.js';

const lineSchema = z.object({ type: z.string(), credential: z.string().optional() });

/** @param acknowledged Tokens handed out before the crash: each must have an entry. */
export async function auditAct(stage: Stage, tell: Transcript, acknowledged: string[]): Promise<void> {
  const files = namesIn(stage);
  tell.act('One changed digit');

  await tell.step('SOC fetches the signed head of the audit log, and exports the log', async () => {
    const lines = await download(stage, files);
    const granted = new Set(
      lines.filter(({ type }) => type === 'credential.granted').map(({ credential }) => credential),
    );
    const missing = acknowledged.filter((token) => !granted.has(decodeJwt(token).jti)).length;
    expectThat(missing === 0, 'an entry for every credential handed out before the crash', `${missing} missing`);
    const text = readFileSync(files.log, 'utf8');
    expectThat(!/eyJ[\w-]+\./.test(text), 'an export without tokens', 'one with tokens');
    return `${lines.length.toLocaleString('en')} lines, ${granted.size.toLocaleString('en')} of them grants; no token in any`;
  });
  await tell.step('mayfly verify-audit', () => {
    const { status, output } = verify(files, files.log);
    expectThat(status === 0, 'exit code 0', `${status}: ${output}`);
    return Promise.resolve(withSeparators(output.replace(`${files.log}: `, '')));
  });
  await tell.step('somebody changes one digit in the exported file, and verifies it again', () => {
    const line = flipOneByte(files);
    const { status, output } = verify(files, files.forged);
    expectThat(status === 1, 'exit code 1', `${status}: ${output}`);
    expectThat(
      new RegExp(`line ${line + 1}\\b`).test(output),
      `line ${line + 1} found not to continue line ${line}`,
      output,
    );
    return Promise.resolve([
      `a 4711 in line ${line.toLocaleString('en')} became 4710; the line after it holds its hash:`,
      withSeparators(output.replace(`${files.forged}: `, '')),
    ]);
  });
}

/** Formats a number as the rest of the story does. */
const withSeparators = (text: string): string =>
  text.replaceAll(/\d{4,}/g, (digits) => Number(digits).toLocaleString('en'));

interface Files {
  issuer: string;
  head: string;
  keys: string;
  log: string;
  forged: string;
}

const namesIn = ({ directory, broker }: Stage): Files => ({
  issuer: broker.url,
  head: join(directory, 'audit-head.jwt'),
  keys: join(directory, 'jwks.json'),
  log: join(directory, 'audit.ndjson'),
  forged: join(directory, 'audit-forged.ndjson'),
});

/** Reads the head first: it covers what was written until then, so the export ends at the line that it names. */
async function download(stage: Stage, files: Files): Promise<z.infer<typeof lineSchema>[]> {
  const bearer = await stage.identity('soc');
  const head = await stage.ask('/audit/head', { bearer });
  const { head: place } = z.object({ head: z.object({ seq: z.number() }) }).parse(decodeJwt(head.text));
  const log = await stage.ask(`/audit?upTo=${place.seq}`, { bearer, accept: 'application/x-ndjson' });
  writeFileSync(files.head, head.text);
  writeFileSync(files.keys, (await stage.ask('/jwks', {})).text);
  writeFileSync(files.log, log.text);
  const lines = log.text.trimEnd().split('\n');
  expectThat(lines.length === place.seq, `${place.seq} lines`, lines.length);
  return lines.map((line) => lineSchema.parse(JSON.parse(line)));
}

function verify({ head, keys, issuer }: Files, log: string): { status: number | null; output: string } {
  const args = [CLI, 'verify-audit', log, '--head', head, '--jwks', keys, '--issuer', issuer];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return { status, output: (stdout + stderr).trim() };
}

/** Changes "4711" to "4710" in one of the first grants. Returns the number of that line. */
function flipOneByte({ log, forged }: Files): number {
  const bytes = readFileSync(log);
  const at = bytes.indexOf('4711', bytes.indexOf('"credential.granted"'));
  bytes[at + 3] = (bytes[at + 3] ?? 0) ^ 1;
  writeFileSync(forged, bytes);
  return bytes.subarray(0, at).filter((byte) => byte === 0x0a).length + 1;
}

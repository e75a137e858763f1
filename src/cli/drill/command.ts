/** `mayfly drill`: how long it takes until every verifier denies what was revoked, tried at a running broker. */
import { writeFile } from 'node:fs/promises';
import { InvalidArgumentError, type Command } from 'commander';
import { z } from 'zod';
import { newId } from '../../domain/id.js';
import { connected, whoAndWhere, withConnection, type ConnectionOptions } from '../people/connection.js';
import { brokerUrl } from '../broker-options.js';
import { Exit, type Terminal } from '../terminal.js';
import { measureDrill, type DrillSize } from './measure.js';
import { reportOf, textOf } from './report.js';

interface Options extends ConnectionOptions, DrillSize {
  report?: string;
}

const EXPLAINED = `
Safe in production. What is revoked are shadow credentials: tokens that this command signs itself, with a key, an issuer and an
audience that no API has. The broker mints nothing and ends nothing; its log gets one entry for each publication, of the kind
"drill", which it forgets twelve minutes later. Receipts and audit entries stay. Policy must permit "followFeed" and "revoke" of
the kind "drill". Exit code 1: a verifier did not deny, or nothing could be measured.`;

export function addDrill(program: Command, terminal: Terminal): void {
  withConnection(program.command('drill'))
    .description('revoke shadow credentials, and measure how soon every verifier denies them')
    .option('--verifiers <number>', 'verifiers that this command runs; they follow the feed over HTTP', upTo(1_000), 50)
    .option('--credentials <number>', 'shadow credentials that they have in use', upTo(1_000_000), 100_000)
    .option('--publications <number>', 'revocations, each of which ends an equal part of them', upTo(100), 20)
    .option('--report <path>', 'write the report to this file too, as JSON')
    .addHelpText('after', EXPLAINED)
    .action(async (options: Options) => {
      const { verifiers, credentials, publications, report: path } = options;
      const size = { verifiers, credentials, publications };
      const [{ broker: url, token }, { at, ask }] = [
        await whoAndWhere(options, terminal),
        await connected(options, terminal),
      ];
      const broker = brokerUrl(url, '/').origin;
      const revoke = async (value: string, dryRun: boolean) =>
        ask(at('/revocations'), {
          body: { selector: { kind: 'drill', value }, reason: 'drill of mayfly drill', dryRun },
        });
      assertHitsNothing(await revoke(newId('drl'), true));
      const publish = async (id: string) => receiptSchema.parse(await revoke(id, false)).seq;
      const measured = await measureDrill({ broker, token, publish }, size);
      const report = reportOf(size, measured, { at: terminal.clock.reading(), broker });
      if (path !== undefined) await writeFile(path, `${JSON.stringify(report, undefined, 2)}\n`);
      terminal.out(textOf(report));
      if (!report.passed) throw new Exit(1);
    });
}

const receiptSchema = z.object({ seq: z.number() });
const previewSchema = z.object({ affected: z.object({ credentials: z.literal(0), tasks: z.literal(0) }) });

/** An older broker does not know drills, and refuses. One that knows of anything that a drill would end is not drilled. */
function assertHitsNothing(preview: unknown): void {
  if (previewSchema.safeParse(preview).success) return;
  throw new Error('The broker does not say that a drill would end nothing. Nothing was revoked.');
}

function upTo(most: number): (text: string) => number {
  return (text) => {
    if (/^[1-9]\d{0,6}$/.test(text) && Number(text) <= most) return Number(text);
    throw new InvalidArgumentError(`It is a whole number from 1 to ${most.toLocaleString('en')}.`);
  };
}

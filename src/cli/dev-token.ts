/** `mayfly dev-token`: prints an identity token for trying the broker out, signed by the development issuer of this checkout. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { loadConfig, type LoadedConfig } from '../config/load.js';
import { packageFile } from '../config/package-file.js';
import { CLAIM_CHARACTERS_MAX, nameProblem } from '../domain/name.js';
import { openDevIssuer } from './dev-issuer.js';
import type { Terminal } from './terminal.js';

interface Options {
  sub?: string;
  team: string;
  person?: string;
  group: string[];
  audience?: string;
  ttl: string;
  claim: string[];
  trust?: string;
  config?: string;
}

export function addDevToken(program: Command, { out, clock }: Terminal): void {
  program
    .command('dev-token')
    .description('print an identity token of the development issuer, for trying the broker out')
    .option('--sub <name>', 'who it is for: the workload becomes lab:<name>', nameOf)
    .option('--team <name>', 'the claim `team`, which config/development.yaml takes as the owner', nameOf, 'sre')
    .addOption(
      new Option('--person <name>', 'for a person instead, who becomes people:<name>')
        .argParser(nameOf)
        .conflicts(['sub', 'team']),
    )
    .addOption(
      new Option('--group <name>', 'a group of that person; repeatable').argParser(collectName).default([], 'none'),
    )
    .option('--audience <audience>', 'default: what the configuration accepts')
    .option('--ttl <seconds>', 'how long it is valid', '3600')
    .option('--claim <name=value>', 'any other claim; repeatable', collect, [])
    .option('--trust <name>', 'the trust entry that trusts the development issuer; default: lab, for a person people')
    .option('-c, --config <file>', 'default: config/development.yaml')
    .action(async (options: Options) => {
      const { sub, claims, trustName } = bearerOf(options);
      const loaded = await loadConfig({
        path: options.config ?? packageFile('config/development.yaml'),
        checkFiles: false,
      });
      const trust = trustOf(loaded, options.trust ?? trustName);
      const issuer = await openDevIssuer(trust.jwksFile);
      const signed = {
        ...Object.fromEntries(options.claim.map(parsedClaim)),
        ...claims,
        iss: trust.issuer,
        sub,
        aud: options.audience ?? trust.audience,
      };
      out(await issuer.sign(signed, secondsOf(options.ttl), clock));
    });
}

interface Bearer {
  sub: string;
  claims: Record<string, unknown>;
  /** The entry of config/development.yaml that trusts such tokens. */
  trustName: string;
}

function bearerOf({ sub, team, person, group }: Options): Bearer {
  if (person !== undefined) return { sub: person, claims: { groups: group }, trustName: 'people' };
  if (sub === undefined) throw new Error('Who is it for? Say --sub <name> for a workload, or --person <name>.');
  if (group.length > 0) throw new Error('--group is for --person: a workload has a --team.');
  return { sub, claims: { team }, trustName: 'lab' };
}

function trustOf({ config, path }: LoadedConfig, name: string) {
  const trust = config.trust.find((entry) => entry.name === name);
  if (trust?.kind !== 'oidc' || !trust.jwks || !('file' in trust.jwks)) {
    throw new Error(`${path} has no trust entry "${name}" of kind oidc with a JWKS file.`);
  }
  return { issuer: trust.issuer, audience: trust.audiences?.[0] ?? config.issuer, jwksFile: trust.jwks.file };
}

function nameOf(text: string): string {
  const problem = nameProblem(text, CLAIM_CHARACTERS_MAX);
  if (problem !== undefined) throw new InvalidArgumentError(`A broker refuses it: it ${problem}.`);
  return text;
}

function secondsOf(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error('--ttl is a number of seconds in digits, from 1 to 999999999.');
  return Number(text);
}

function parsedClaim(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new Error('--claim is written name=value.');
  return [text.slice(0, at), text.slice(at + 1)];
}

const collect = (value: string, before: string[]): string[] => [...before, value];

const collectName = (value: string, before: string[]): string[] => collect(nameOf(value), before);

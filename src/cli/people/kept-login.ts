/** What `mayfly login` keeps between commands: one file for the user alone, with the broker, the provider and the identity token. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { membersOf } from '../../client/request.js';
import type { Environment } from '../../config/environment.js';
import { errorCode } from '../../domain/error-code.js';

const keptLoginSchema = z.object({
  /** The origin of the broker. The token is sent nowhere else. */
  broker: z.string(),
  /** The issuer of the provider, the client id there, and the scope that was asked for. */
  provider: z.string(),
  clientId: z.string(),
  scope: z.string(),
  /** Absent after `mayfly logout`: the rest stays, so that `mayfly login` needs no options. */
  token: z.string().optional(),
});

type KeptLogin = z.infer<typeof keptLoginSchema>;

/** Returns undefined where nobody has logged in yet. */
export async function readLogin(env: Environment): Promise<KeptLogin | undefined> {
  const file = fileOf(env);
  if (file === undefined) return undefined;
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const { data } = keptLoginSchema.safeParse(membersOf(text));
  if (!data) throw new Error(`${file} is not what \`mayfly login\` wrote. Remove it and log in again.`);
  return data;
}

/** Returns the path of the file. It is written whole: a command that runs meanwhile reads the one before or this one. */
export async function writeLogin(env: Environment, login: KeptLogin): Promise<string> {
  const file = fileOf(env);
  if (file === undefined) throw new Error('Set XDG_STATE_HOME or HOME: the login is kept in a file there.');
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  // A name that nobody can guess, and `wx`: in a directory of others, nobody lays a link where the token is written.
  const fresh = `${file}.${randomBytes(8).toString('hex')}`;
  try {
    await writeFile(fresh, `${JSON.stringify(login)}\n`, { flag: 'wx', mode: 0o600 });
    await rename(fresh, file);
  } finally {
    await rm(fresh, { force: true });
  }
  return file;
}

/** XDG Base Directory: what a program keeps from one start to the next. */
function fileOf(env: Environment): string | undefined {
  const home = env['HOME'] || env['USERPROFILE'];
  const state = env['XDG_STATE_HOME'] || (home && join(home, '.local', 'state'));
  return state ? join(state, 'mayfly', 'login.json') : undefined;
}

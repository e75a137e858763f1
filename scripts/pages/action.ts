/**
 * What the GitHub Action needs of the client. GitHub runs a repository as it is, so these files are committed: the sources without
 * their types, each by itself, so that a reviewer reads what runs.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import ts from 'typescript';

const ENTRIES = ['client/mayfly', 'client/identity/github-actions'];
export const ACTION_LIBRARY = 'sdk/github-action/lib';

/** Returns the text of each file, by its path: the entries and everything that they import. */
export async function actionFiles(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const waiting = [...ENTRIES];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const path = `${ACTION_LIBRARY}/${name}.js`;
    if (files.has(path)) continue;
    const text = withoutTypes(readFileSync(`src/${name}.ts`, 'utf8'));
    files.set(path, await format(text, { ...(await resolveConfig(path)), filepath: path }));
    for (const [, imported = ''] of text.matchAll(/ from '(\..*)\.js'/g)) waiting.push(join(dirname(name), imported));
  }
  return files;
}

const withoutTypes = (source: string): string =>
  ts.transpileModule(source, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
    },
  }).outputText;

/**
 * Gives jest the JavaScript of a TypeScript file: what `npm run build` made of it, if the file has not changed since. So a fresh
 * clone compiles once, and not again in each worker of jest. Types are checked by the build alone.
 */
import { readFile, stat } from 'node:fs/promises';
import { relative, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

export default {
  async processAsync(source, path) {
    const built = resolve(root, 'dist', relative(root, path)).replace(/\.ts$/, '.js');
    const [written, compiled] = await Promise.all([path, built].map((file) => stat(file).catch(() => undefined)));
    // A file that was moved here has an older time of modification, but a new one of change.
    if (!written || !compiled || compiled.mtimeMs <= written.ctimeMs) return compile(source, path);
    const [code, map] = await Promise.all([built, `${built}.map`].map((file) => readFile(file, 'utf8')));
    return { code, map: { ...JSON.parse(map), sources: [path] } };
  },
};

async function compile(source, fileName) {
  const { default: ts } = await import('typescript');
  const { ESNext } = ts.ModuleKind;
  const compilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ESNext,
    verbatimModuleSyntax: true,
    sourceMap: true,
  };
  const { outputText, sourceMapText } = ts.transpileModule(source, { compilerOptions, fileName });
  return { code: outputText, map: { ...JSON.parse(sourceMapText), sources: [fileName] } };
}

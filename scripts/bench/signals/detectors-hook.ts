/** A hook of Node's module loader: an import of the detectors loads those that detect nothing. */
import type { ResolveHook } from 'node:module';

export const resolve: ResolveHook = (specifier, context, next) =>
  specifier.endsWith('/detectors/detectors.js')
    ? { url: new URL('./no-detectors.js', import.meta.url).href, shortCircuit: true }
    : next(specifier, context);

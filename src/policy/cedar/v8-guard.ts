/**
 * Keeps V8 from inlining calls into WebAssembly. Node 20 (V8 11.3) aborts the whole process with `Fatal error …
 * unreachable code` when optimised code that inlined such a call is deoptimised while the call is running; under load that
 * takes seconds (test/e2e/cedar-soak.test.ts). This module must be imported before Cedar: a flag that is set in
 * the body of the importing module comes too late.
 */
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--no-turbo-inline-js-wasm-calls');

/** For Node's `--import`: the process then has no detectors. Only for this benchmark. */
import { register } from 'node:module';

register('./detectors-hook.js', import.meta.url);

/** Given to Node by `--import`: the process that follows has no detectors. Only a benchmark wants that. */
import { register } from 'node:module';

register('./detectors-hook.js', import.meta.url);

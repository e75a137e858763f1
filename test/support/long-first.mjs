// The order of test files: those that take longest come first, so that no worker begins one when the others are nearly done.
// Jest knows by itself which they were, but not in a fresh clone.
import { default as Sequencer } from '@jest/test-sequencer';

const LONG = [
  'sdk/python',
  'examples/recipes',
  'docs/blocks',
  'test/model/',
  'test/e2e/',
  'page/chromium',
  'refusals-rationed',
  'signals/flood',
  'signal-widening',
  'enforcement/ending',
  'aws-sts-failures',
];

export default class LongFirst extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    const isLong = ({ path }) => LONG.some((part) => path.includes(part));
    return [...sorted.filter(isLong), ...sorted.filter((test) => !isLong(test))];
  }
}

// The rules of this project's own, for oxlint: what the time is, and how long a test may take. .oxlintrc.json says where they hold.
import { UNCHECKED_TIME } from './unchecked-time.mjs';

const isUnchecked = ({ type, name }) => type === 'Identifier' && /^(unchecked\w*|reading)$/.test(name);
const mayBeUnchecked = ({ filename }) =>
  UNCHECKED_TIME.some((file) => filename.replaceAll('\\', '/').endsWith(`/${file}`));

/** The name of a test function, also of `it.each(…)`. */
const testedBy = ({ callee }) =>
  callee.type === 'Identifier'
    ? callee.name
    : callee.type === 'CallExpression' && callee.callee.type === 'MemberExpression'
      ? callee.callee.property.name
      : undefined;
const TEST_WITH_TIME = /^(it|test|each|(before|after)(All|Each))$/;
const LEAST_MS = 180_000;

const reporting = (context, message) => (node) => context.report({ node, message });

const clockIsPassedIn = {
  create(context) {
    const report = reporting(context, 'The clock is passed in: take a Clock (src/domain/time.ts).');
    return {
      NewExpression(node) {
        if (node.callee.name === 'Date' && node.arguments.length === 0) report(node);
      },
    };
  },
};

const timeIsChecked = {
  create(context) {
    if (mayBeUnchecked(context)) return {};
    const report = reporting(
      context,
      'Read `now`, which refuses while the clock is wrong; or say in scripts/unchecked-time.mjs why a wrong clock grants nothing here.',
    );
    return {
      MemberExpression({ property }) {
        if (isUnchecked(property)) report(property);
      },
      ObjectPattern({ properties }) {
        for (const { key } of properties) if (key && isUnchecked(key)) report(key);
      },
    };
  },
};

const testsHaveTime = {
  create(context) {
    const report = reporting(
      context,
      'jest.config.js says how long a test may take, the same for all: the machine may be busy.',
    );
    return {
      CallExpression(node) {
        const last = node.arguments.at(-1);
        if (TEST_WITH_TIME.test(testedBy(node) ?? '') && typeof last?.value === 'number' && last.value < LEAST_MS)
          report(last);
      },
    };
  },
};

export default {
  meta: { name: 'mayfly' },
  rules: {
    'clock-is-passed-in': clockIsPassedIn,
    'time-is-checked': timeIsChecked,
    'tests-have-time': testsHaveTime,
  },
};

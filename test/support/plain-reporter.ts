import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/**
 * Closes a run with `N passed, N failed`, alone on the last line, for those who read logs by
 * program. A file that could not be loaded and an error outside of any test count as failures.
 */
export default class PlainReporter implements Reporter {
  onTestRunEnd(
    modules: readonly TestModule[],
    errors: readonly SerializedError[],
    reason: string,
  ): void {
    let [passed, failed, skipped] = [0, errors.length, 0];
    for (const module of modules) {
      failed += module.errors().length;
      for (const suite of module.children.allSuites()) failed += suite.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed++;
        else if (state === 'failed') failed++;
        // A test that never got its turn, because its process died, was not passed either.
        else if (state === 'pending') failed++;
        else skipped++;
      }
    }
    // Nothing failed, and yet the run did: it could not begin, or was cut off.
    if (reason !== 'passed' && failed === 0) failed = 1;
    const rest = skipped > 0 ? `, ${skipped} skipped` : '';
    process.stdout.write(`\n${passed} passed, ${failed} failed${rest}\n`);
  }
}

/** A Vitest reporter that prints why a test was skipped, which the JSON report does not say. */
export default class SkipReporter {
  onTestCaseResult(test) {
    const { state, note } = test.result()
    if (state === 'skipped') console.log(`skipped: ${test.fullName}${note ? `: ${note}` : ''}`)
  }
}

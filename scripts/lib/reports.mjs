import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Counts come from the runner's own report; one that fails without naming a failed test, or leaves no report, counts as a failure. */
export async function withReport(name, run, countReport) {
  const path = join(tmpdir(), `keruta-${name}-${process.pid}.json`)
  try {
    const { code, timedOut, leftover } = await run(path)
    const result = countReport(readReport(path))
    if (timedOut) result.notes.push(`${name} took too long and was ended`)
    if (leftover.length > 0) result.notes.push(`${name} left processes behind, which were ended: ${leftover}`)
    if (code !== 0 && result.failed === 0) {
      result.failed = 1
      result.notes.push(`${name} ended with code ${code} without naming a failed test`)
    }
    return result
  } finally {
    rmSync(path, { force: true })
  }
}

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

export function countVitest(report) {
  if (!report) return { ...count(0, 1), notes: ['vitest left no report'] }
  const tests = report.testResults.flatMap(file => file.assertionResults)
  const brokenFiles = report.testResults.filter(
    file => file.status === 'failed' && !file.assertionResults.some(test => test.status === 'failed'),
  )
  const skipped = tests.filter(test => test.status !== 'passed' && test.status !== 'failed')
  return {
    passed: tests.filter(test => test.status === 'passed').length,
    failed: tests.filter(test => test.status === 'failed').length + brokenFiles.length,
    skipped: skipped.length,
    notes: [
      ...brokenFiles.map(file => `failed as a whole: ${file.name}`),
      ...skipped.map(test => `skipped: ${test.fullName}`),
    ],
  }
}

export function countPlaywright(report) {
  if (!report) return { ...count(0, 1), notes: ['playwright left no report'] }
  const { expected, unexpected, flaky, skipped } = report.stats
  const notes = report.errors.map(error => error.message ?? String(error))
  return {
    passed: expected + flaky,
    failed: unexpected,
    skipped,
    notes: [...notes, ...skippedSpecs(report.suites)],
  }
}

function skippedSpecs(suites = []) {
  return suites.flatMap(suite => [
    ...(suite.specs ?? [])
      .filter(spec => spec.tests.some(test => test.status === 'skipped'))
      .map(spec => `skipped: ${spec.title}${reasonOf(spec)}`),
    ...skippedSpecs(suite.suites),
  ])
}

function reasonOf(spec) {
  const reason = spec.tests.flatMap(test => test.annotations).find(note => note.type === 'skip')?.description
  return reason ? `: ${reason}` : ''
}

export function count(passed, failed, skipped = 0) {
  return { passed, failed, skipped, notes: [] }
}

import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setUp } from '../setup.mjs'
import { findChromium } from './chromium.mjs'
import { binOf, projectNode } from './project.mjs'
import { runToEnd } from './run.mjs'

const MINUTE = 60_000

/** In the order of running. `run(filters)` resolves `{passed, failed, skipped, notes}`; a check that is no suite of tests counts as one. */
export const checks = [
  {
    name: 'types',
    run: () => single(['next', ['typegen']], ['typescript', ['--noEmit'], 'tsc']),
  },
  {
    name: 'biome',
    run: () => single(['@biomejs/biome', ['ci', '--error-on-warnings', '--colors=off'], 'biome']),
  },
  { name: 'knip', run: () => single(['knip', ['--no-progress']]) },
  {
    name: 'imports',
    run: () =>
      single([
        'dependency-cruiser',
        [
          'protocol',
          'agent',
          'app',
          'server',
          'e2e',
          'bench',
          '--config',
          '.dependency-cruiser.mjs',
          '--output-type',
          'err',
        ],
        'depcruise',
      ]),
  },
  { name: 'build', run: build },
  { name: 'unit', run: unit },
  { name: 'browser', run: browser },
]

async function single(...commands) {
  for (const [packageName, args, command] of commands) {
    const { code, timedOut, leftover } = await tool(packageName, args, { command, timeoutMs: 5 * MINUTE })
    if (code !== 0) return { ...count(0, 1), notes: timedOut ? ['took longer than 5 minutes'] : [] }
    if (leftover) return { ...count(1, 0), notes: ['left processes behind, which were ended'] }
  }
  return count(1, 0)
}

async function build() {
  try {
    await setUp({ build: true })
    return count(1, 0)
  } catch (error) {
    return { ...count(0, 1), notes: [error.message] }
  }
}

async function unit(filters) {
  return withReport(
    'vitest',
    async path => {
      const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${path}`, ...filters]
      return tool('vitest', args, { timeoutMs: 9 * MINUTE })
    },
    countVitest,
  )
}

async function browser(filters) {
  const chromium = await findChromium()
  if (chromium.skip) return { ...count(0, 0, 1), notes: [`browser tests are skipped: ${chromium.skip}`] }
  return withReport(
    'playwright',
    async path => {
      const env = { PLAYWRIGHT_JSON_OUTPUT_FILE: path, KERUTA_TEST_CHROMIUM: chromium.path ?? '' }
      return tool('@playwright/test', ['test', '--reporter=list,json', ...filters], {
        command: 'playwright',
        env,
        timeoutMs: 5 * MINUTE,
      })
    },
    countPlaywright,
  )
}

/** Counts come from the runner's own report; one that fails without naming a failed test, or leaves no report, counts as a failure. */
async function withReport(name, run, countReport) {
  const path = join(tmpdir(), `keruta-${name}-${process.pid}.json`)
  try {
    const { code, timedOut, leftover } = await run(path)
    const result = countReport(readReport(path))
    if (timedOut) result.notes.push(`${name} took too long and was ended`)
    if (leftover) result.notes.push(`${name} left processes behind, which were ended`)
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

function countVitest(report) {
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

function countPlaywright(report) {
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

function tool(packageName, args, { command, ...options } = {}) {
  return runToEnd(projectNode(), [binOf(packageName, command), ...args], options)
}

function count(passed, failed, skipped = 0) {
  return { passed, failed, skipped, notes: [] }
}

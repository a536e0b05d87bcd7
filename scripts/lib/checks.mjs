import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setUp } from '../setup.mjs'
import { findChromium } from './chromium.mjs'
import { binOf, projectNode, root } from './project.mjs'
import { count, countPlaywright, countVitest, withReport } from './reports.mjs'
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
  { name: 'imports', run: imports },
  { name: 'build', run: build },
  { name: 'unit', run: unit },
  { name: 'forms', run: forms },
  { name: 'browser', run: browser },
]

async function single(...commands) {
  const notes = []
  for (const [packageName, args, command = packageName] of commands) {
    const { code, timedOut, leftover } = await tool(packageName, args, { command, timeoutMs: 5 * MINUTE })
    if (timedOut) notes.push(`${command} took longer than 5 minutes and was ended`)
    if (leftover.length > 0) notes.push(`${command} left processes behind, which were ended: ${leftover}`)
    if (code !== 0) return { ...count(0, 1), notes }
  }
  return { ...count(1, 0), notes }
}

function imports() {
  const folders = ['protocol', 'agent', 'app', 'server', 'e2e', 'bench'].filter(name =>
    existsSync(join(root, name)),
  )
  return single([
    'dependency-cruiser',
    [...folders, '--config', '.dependency-cruiser.mjs', '--output-type', 'err'],
    'depcruise',
  ])
}

async function build() {
  try {
    await setUp({ build: true })
    return count(1, 0)
  } catch (error) {
    return { ...count(0, 1), notes: [error.message] }
  }
}

function unit(filters) {
  return vitest(filters, {})
}

/** The agent as a bundle, and as an executable; filters name files of agent/test. */
async function forms(filters) {
  const chosen = filters.filter(filter => filter.startsWith('agent/test'))
  if (chosen.length === 0 && filters.length > 0) return count(0, 0)
  const { code } = await runToEnd(projectNode(), ['scripts/build-agent.mjs'], { timeoutMs: 5 * MINUTE })
  if (code !== 0) return { ...count(0, 1), notes: ['the agent could not be made into one file'] }
  const names = process.platform === 'linux' ? ['bundle', 'executable'] : ['bundle']
  const results = []
  for (const form of names) {
    console.log(`\nthe agent as ${form === 'bundle' ? 'a bundle' : 'an executable'}`)
    results.push(await vitest(chosen.length > 0 ? chosen : ['agent/test'], { KERUTA_TEST_FORM: form }))
  }
  const total = key => results.reduce((sum, result) => sum + result[key], 0)
  const notes = results.flatMap(result => result.notes)
  return { ...count(total('passed'), total('failed'), total('skipped')), notes }
}

function vitest(filters, env) {
  return withReport(
    'vitest',
    path => {
      const args = [
        'run',
        '--reporter=default',
        '--reporter=./scripts/lib/skip-reporter.mjs',
        '--reporter=json',
        `--outputFile.json=${path}`,
        ...filters,
      ]
      return tool('vitest', args, { timeoutMs: 20 * MINUTE, env })
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
      const env = {
        PLAYWRIGHT_JSON_OUTPUT_FILE: path,
        KERUTA_TEST_CHROMIUM: chromium.path ?? '',
        NO_COLOR: undefined, // Playwright sets FORCE_COLOR, and Node warns of the two together
      }
      return tool('@playwright/test', ['test', '--reporter=list,json', ...filters], {
        command: 'playwright',
        env,
        timeoutMs: 20 * MINUTE,
      })
    },
    countPlaywright,
  )
}

function tool(packageName, args, { command, ...options } = {}) {
  return runToEnd(projectNode(), [binOf(packageName, command), ...args], options)
}

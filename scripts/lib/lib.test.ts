import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keruta-scripts-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** Runs a piece of a module in a process of its own, as the scripts run. */
async function run(module: string, body: string) {
  const source = `import * as lib from ${JSON.stringify(join(import.meta.dirname, module))}
    import fs from 'node:fs'
    const folder = ${JSON.stringify(folder)}
    ${body}`
  return promisify(execFile)(process.execPath, ['--input-type=module', '--eval', source])
}

describe('withLock', () => {
  const work = `await lib.withLock(folder + '/lock', () => {}, async () => {
    fs.appendFileSync(folder + '/events', 'in ')
    await new Promise(resolve => setImmediate(resolve))
    fs.appendFileSync(folder + '/events', 'out ')
  })`

  it('lets one process after the other do its work', async () => {
    await Promise.all(Array.from({ length: 5 }, () => run('lock.mjs', work)))
    expect(await readFile(join(folder, 'events'), 'utf8')).toBe('in out '.repeat(5))
  })

  it('takes the lock of a process that died with it', async () => {
    const { stdout } = await run('lock.mjs', 'console.log(process.pid)')
    await writeFile(join(folder, 'lock'), stdout.trim())
    await Promise.all([run('lock.mjs', work), run('lock.mjs', work)])
    expect(await readFile(join(folder, 'events'), 'utf8')).toBe('in out '.repeat(2))
  })
})

describe('runToEnd', () => {
  it('ends what a step leaves running with its output open, and says so', async () => {
    const leave = `require('child_process').spawn('sleep', ['600'], { stdio: 'inherit' }).unref()`
    const { stdout } = await run(
      'run.mjs',
      `const { code, leftover } = await lib.runToEnd(process.execPath, ['-e', ${JSON.stringify(leave)}])
       console.log(JSON.stringify({ code, leftover }))`,
    )
    expect(JSON.parse(stdout)).toEqual({ code: 0, leftover: ['sleep'] })
  })

  it('ends a step that takes too long', async () => {
    const { stdout } = await run(
      'run.mjs',
      `const { timedOut } = await lib.runToEnd('sleep', ['600'], { timeoutMs: 100 })
       console.log(timedOut)`,
    )
    expect(stdout.trim()).toBe('true')
  })
})

describe('counting', () => {
  const count = async (report: unknown, code: number) => {
    const { stdout } = await run(
      'reports.mjs',
      `const result = await lib.withReport('vitest', async path => {
         ${report === undefined ? '' : `fs.writeFileSync(path, ${JSON.stringify(JSON.stringify(report))})`}
         return { code: ${code}, leftover: [] }
       }, lib.countVitest)
       console.log(JSON.stringify(result))`,
    )
    return JSON.parse(stdout)
  }
  const file = (status: string, ...tests: string[]) => ({
    name: 'a.test.ts',
    status,
    assertionResults: tests.map(state => ({ status: state, fullName: state })),
  })

  it('sums a report, and names what was skipped', async () => {
    const result = await count({ testResults: [file('failed', 'passed', 'failed', 'skipped')] }, 1)
    expect(result).toEqual({ passed: 1, failed: 1, skipped: 1, notes: ['skipped: skipped'] })
  })

  it('counts a file that could not be loaded as a failure', async () => {
    expect(await count({ testResults: [file('passed', 'passed'), file('failed')] }, 1)).toMatchObject({
      passed: 1,
      failed: 1,
    })
  })

  it('counts a runner without a report, or one that fails without naming a test, as a failure', async () => {
    expect(await count(undefined, 139)).toMatchObject({ passed: 0, failed: 1 })
    expect(await count({ testResults: [file('passed', 'passed')] }, 1)).toMatchObject({
      passed: 1,
      failed: 1,
    })
  })
})

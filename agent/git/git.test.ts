import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { git } from './git.ts'
import { withoutCredentials } from './url.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'keruta-git-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** Runs a script in git's place. */
function run(script: string, signal = new AbortController().signal): Promise<string> {
  writeFileSync(join(dir, 'git'), `#!/bin/sh\n${script}\n`)
  chmodSync(join(dir, 'git'), 0o755)
  return git(['fetch'], { cwd: dir, env: { PATH: `${dir}:${env.PATH}` }, signal, onLine: () => {} })
}

it('is not held by what git leaves behind with its output open', async () => {
  const startedAt = performance.now()
  expect(await run('setsid sleep 15 & echo done')).toBe('done')
  expect(performance.now() - startedAt).toBeLessThan(10_000)
})

it('ends a git that does not mind being asked to', async () => {
  const abort = new AbortController()
  const ended = run("trap '' TERM; touch ready; while :; do sleep 1; done", abort.signal)
  const refused = expect(ended).rejects.toThrow(/SIGKILL/)
  await vi.waitFor(() => expect(existsSync(join(dir, 'ready'))).toBe(true), 10_000)
  abort.abort()
  await refused
})

it('shows no part of a password that has an @ in it', () => {
  expect(withoutCredentials('fatal: https://me:p@ss@host/team/app: no')).toBe(
    'fatal: https://host/team/app: no',
  )
})

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PrepareError, type Stage } from '../execute/prepare.ts'
import { scriptTarget } from '../execute/script.ts'
import { removeFolder } from '../remove-folder.ts'

export interface Setup {
  script: string
  cwd: string | undefined
  /** Where it is noted that the script has run: goes with what it has set up. */
  notes: string
}

/** Runs a session's setup script, unless it has run here. @throws PrepareError where it fails; then the next task tries again */
export async function runSetup({ script, cwd, notes }: Setup, stage: Stage): Promise<void> {
  const note = join(notes, `setup-${createHash('sha256').update(script).digest('hex').slice(0, 32)}`)
  if (existsSync(note)) return
  stage.say(1, 'running the setup script of the session')
  const { target, dir } = scriptTarget(script, 'setup')
  try {
    const { code, signal } = await stage.run(target, cwd)
    if (code !== 0)
      throw new PrepareError(
        'SETUP_FAILED',
        `the setup script of the session ${code === null ? `was killed by ${signal}` : `exited with code ${code}`}`,
      )
  } finally {
    removeFolder(dir)
  }
  mkdirSync(notes, { recursive: true })
  writeFileSync(note, '')
}

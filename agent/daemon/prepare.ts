import { homedir } from 'node:os'
import { join } from 'node:path'
import type { ClaimedTask } from '#protocol/session.ts'
import type { Config } from '../config.ts'
import { type Prepared, PrepareError, type Stage } from '../execute/prepare.ts'
import { scriptTarget } from '../execute/script.ts'

/**
 * What a task of the queue finds done: its repository checked out, its session set up, its script a file.
 * @param dirs takes folders that are to be removed after the run
 * @throws PrepareError
 */
export async function prepareTask(
  config: Config,
  { script, name, session }: ClaimedTask,
  stage: Stage,
  dirs: string[],
): Promise<Prepared> {
  if (stage.signal.aborted) return {}
  const { repository, setupScript } = session.template ?? {}
  const checkout = repository ? await checkOutFor(config, session.id, repository, stage) : undefined
  const cwd = config.workingDir ?? checkout
  if (setupScript && !stage.signal.aborted) {
    const { runSetup } = await import('./setup.ts')
    const notes = checkout
      ? join(checkout, '.git', 'keruta')
      : join(config.home, 'setup', encodeURIComponent(session.id))
    await runSetup({ script: setupScript, cwd, notes }, stage)
  }
  const { target, dir } = scriptTarget(script ?? '', name)
  dirs.push(dir)
  return { cwd, target }
}

async function checkOutFor(
  config: Config,
  sessionId: string,
  { url, ref }: { url: string; ref?: string | null },
  { env, signal, say }: Stage,
): Promise<string> {
  const { checkOut } = await import('../git/checkout.ts')
  const { nameOfRepository } = await import('../git/url.ts')
  const home = config.environment.HOME ?? homedir()
  const dir = join(home, 'keruta', encodeURIComponent(sessionId), nameOfRepository(url))
  try {
    await checkOut({ url, ref, dir, env, signal, say: (message, warn) => say(warn ? 2 : 1, message) })
  } catch (error) {
    throw new PrepareError('GIT_FAILED', `the repository could not be had: ${(error as Error).message}`)
  }
  return dir
}

import { mkdirSync, readdirSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Environment } from '../config.ts'
import { fetchRef } from './fetch.ts'
import { GitError, git } from './git.ts'
import { keepAside } from './keep-aside.ts'
import { whyUnusable, withoutCredentials } from './url.ts'

export interface Checkout {
  url: string
  /** Branch, tag or commit; default: the repository's own default branch. */
  ref: string | null | undefined
  /** Where it lies; made, where there is nothing. */
  dir: string
  env: Environment
  signal: AbortSignal
  /** What is done, for the log. `warn`: that something of the user's was moved. */
  say(message: string, warn?: boolean): void
}

/** Runs git in one folder. */
export type Git = (...args: string[]) => Promise<string>

/**
 * Brings a folder to what a repository has now under a name. What earlier tasks changed there stays as long as that has not moved;
 * then it is kept aside on a branch, never lost. Files that git does not know stay where they are.
 * @throws GitError with git's reason
 */
export async function checkOut(checkout: Checkout): Promise<void> {
  const { url, ref, dir } = checkout
  const why = whyUnusable(url)
  if (why) throw new GitError(`the repository's URL cannot be used: ${why}`)
  if (ref && !/^[^-:+~^?*[\\\s][^:~^?*[\\\s]*$/.test(ref))
    throw new GitError(`"${ref}" is no name of a branch, tag or commit`)
  if (isEmpty(dir)) await cloneInto(checkout)
  else await update(checkout)
}

/** In a folder beside, so that what was interrupted is never taken for a checkout. */
async function cloneInto(checkout: Checkout): Promise<void> {
  const { url, ref, dir, say } = checkout
  const draft = `${dir}.new`
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { recursive: true })
  say(`git: cloning ${withoutCredentials(url)}${ref ? ` at ${ref}` : ''} into ${dir}`)
  const run = gitIn({ ...checkout, dir: draft })
  await run('init', '-q')
  await run('remote', 'add', 'origin', url)
  await run('config', 'keruta.managed', 'true')
  await moveTo(run, ref, say)
  rmSync(dir, { recursive: true, force: true })
  renameSync(draft, dir)
}

async function update(checkout: Checkout): Promise<void> {
  const { url, ref, dir, say } = checkout
  const run = gitIn(checkout)
  await checkOurs(run, checkout)
  await removeStaleLock(dir, say)
  await run('remote', 'set-url', 'origin', url)
  await moveTo(run, ref, say)
}

async function moveTo(run: Git, ref: string | null | undefined, say: Checkout['say']): Promise<void> {
  const { commit, branch } = await fetchRef(run, ref)
  const before = await run('config', '--get', 'keruta.commit').catch(() => '')
  const shown = `${branch ?? ref ?? 'HEAD'} (${commit.slice(0, 10)})`
  if (commit === before) {
    const isChanged =
      (await run('rev-parse', 'HEAD')) !== before || (await run('status', '--porcelain', '-uno')) !== ''
    return say(`git: at ${shown}${isChanged ? ', with what earlier tasks changed' : ''}`)
  }
  if (before) await keepAside(run, before, false, say)
  const place = branch ? ['-B', branch] : ['--detach']
  const move = () => run('checkout', '-q', '--no-recurse-submodules', ...place, commit)
  try {
    await move()
  } catch (error) {
    // Files that git does not know are in the way.
    if (!/would be overwritten/.test((error as Error).message)) throw error
    await keepAside(run, before, true, say)
    await move()
  }
  await run('config', 'keruta.commit', commit)
  say(`git: at ${shown}`)
}

async function checkOurs(run: Git, { dir, url }: Checkout): Promise<void> {
  const top = await run('rev-parse', '--show-toplevel').catch(() => undefined)
  const isRepository = top !== undefined && realpathSync(top) === realpathSync(dir)
  const isOurs = isRepository && (await run('config', '--get', 'keruta.managed').catch(() => '')) === 'true'
  if (isOurs) return
  const what = isRepository ? 'a repository that was not cloned by keruta' : 'no git repository'
  throw new GitError(
    `${dir} is ${what}: move it away, so that ${withoutCredentials(url)} can be cloned there`,
  )
}

/** How long another git may be at work in the folder. */
const LOCK_MS = 10_000

/** Left by a git that was killed; every other would refuse. */
async function removeStaleLock(dir: string, say: Checkout['say']): Promise<void> {
  const lock = join(dir, '.git', 'index.lock')
  const until = performance.now() + LOCK_MS
  for (let found = lockOf(lock); found !== undefined; found = lockOf(lock)) {
    if (Date.now() - found.mtimeMs > LOCK_MS || performance.now() > until) {
      rmSync(lock, { force: true })
      say(`git: removed ${lock}, which a git that was killed had left`, true)
    } else await new Promise(resolve => setTimeout(resolve, 100))
  }
}

function lockOf(path: string) {
  return statSync(path, { throwIfNoEntry: false })
}

function gitIn({ dir, env, signal, say }: Checkout): Git {
  return (...args) =>
    git(['-c', 'advice.detachedHead=false', '-c', 'gc.auto=0', ...args], {
      cwd: dir,
      env,
      signal,
      onLine: line => void (isProgress(line) || say(`git: ${line.trim()}`)),
    })
}

/** A line that is redrawn; its last state is worth a line of the log. */
function isProgress(line: string): boolean {
  return /\d+% \(/.test(line) ? !/, done\.$/.test(line) : /^(From |hint: |\s*\* |fatal:|error:)/.test(line)
}

function isEmpty(dir: string): boolean {
  try {
    return readdirSync(dir).length === 0
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true
    throw new GitError(`${dir} is no folder that can be read: ${(error as Error).message}`)
  }
}

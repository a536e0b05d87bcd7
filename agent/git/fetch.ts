import type { Git } from './checkout.ts'
import { GitError } from './git.ts'

export interface Fetched {
  commit: string
  /** Where the name is a branch's. */
  branch: string | undefined
}

const SHALLOW = [
  'fetch',
  '--depth',
  '1',
  '--no-tags',
  '--no-recurse-submodules',
  '--progress',
  '--force',
  'origin',
]
const WHOLE = ['fetch', '--tags', '--no-recurse-submodules', '--progress', '--force', 'origin']

/** Fetches what a name means now, and no more history than that needs. @throws GitError where there is no such name */
export async function fetchRef(run: Git, ref: string | null | undefined): Promise<Fetched> {
  const name = ref ?? (await defaultBranch(run))
  const commit = /^[0-9a-f]{7,40}$/i.test(name) ? await fetchCommit(run, name) : undefined
  if (commit) return { commit, branch: undefined }
  const branch = await run(...SHALLOW, `+refs/heads/${name}:refs/remotes/origin/${name}`).then(
    () => name,
    error => otherwise(error, undefined),
  )
  if (branch === undefined)
    await run(...SHALLOW, `+refs/tags/${name}:refs/tags/${name}`).catch(error =>
      otherwise(error, noRef(name)),
    )
  const found = branch === undefined ? `refs/tags/${name}` : `refs/remotes/origin/${branch}`
  return { commit: await run('rev-parse', '--verify', `${found}^{commit}`), branch }
}

/** Not every server gives one commit alone, and none knows short names: then the whole history is looked through. */
async function fetchCommit(run: Git, name: string): Promise<string | undefined> {
  const known = () => run('rev-parse', '--verify', '--quiet', `${name}^{commit}`).catch(() => undefined)
  const kept = await known()
  if (kept?.startsWith(name.toLowerCase())) return kept
  const alone =
    name.length === 40 &&
    (await run(...SHALLOW, name).then(
      () => true,
      () => false,
    ))
  if (!alone) {
    const isShallow = (await run('rev-parse', '--is-shallow-repository')) === 'true'
    await run(...WHOLE, ...(isShallow ? ['--unshallow'] : []), '+refs/heads/*:refs/remotes/origin/*')
  }
  return known()
}

/** A repository that was cloned knows it; who moves it since is asked. */
async function defaultBranch(run: Git): Promise<string> {
  const said = await run('ls-remote', '--symref', 'origin', 'HEAD')
  const branch = /^ref: refs\/heads\/(\S+)\s+HEAD$/m.exec(said)?.[1]
  if (branch === undefined) throw new GitError('the repository is empty: it has no default branch')
  return branch
}

/** @param instead an answer, or the error to throw, where there is no such name; every other error is thrown as it is */
function otherwise(error: Error, instead: GitError | undefined): undefined {
  if (!/couldn't find remote ref/.test(error.message)) throw error
  if (instead) throw instead
  return undefined
}

function noRef(name: string): GitError {
  return new GitError(`the repository has no branch, tag or commit ${name}`)
}

import type { Checkout, Git } from './checkout.ts'

const IDENTITY = ['-c', 'user.name=keruta', '-c', 'user.email=keruta@localhost', '-c', 'commit.gpgSign=false']

/**
 * Puts what differs from `base`, commits and changed files, on a branch `keruta/kept-<time>`, and leaves the folder at its HEAD.
 * @param unknown also files that git does not know
 */
export async function keepAside(
  run: Git,
  base: string,
  unknown: boolean,
  say: Checkout['say'],
): Promise<void> {
  const head = await run('rev-parse', '--verify', '--quiet', 'HEAD').catch(() => '')
  const isDirty = (await run('status', '--porcelain', unknown ? '-unormal' : '-uno')) !== ''
  if (head === base && !isDirty) return
  const name = `keruta/kept-${new Date().toISOString().replace(/[:.]/g, '-')}`
  const kept = isDirty ? await commitAll(run, head, unknown) : head
  await run('branch', name, kept)
  if (isDirty) await run('reset', '-q', '--hard')
  say(`git: what earlier tasks changed is kept on the branch ${name}`, true)
}

/** A commit of all that there is, which no branch knows yet. */
async function commitAll(run: Git, head: string, unknown: boolean): Promise<string> {
  await run('add', unknown ? '-A' : '-u')
  const tree = await run('write-tree')
  const parent = head ? ['-p', head] : []
  return run(...IDENTITY, 'commit-tree', tree, ...parent, '-m', 'Kept aside by keruta')
}

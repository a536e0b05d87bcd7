import { readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Context } from '../context.ts'
import { isOwn, temporaryHomes } from '../home.ts'
import { isAlive, type Owner, readMeta, thisProcess } from './meta.ts'
import { spoolDir } from './stream-settings.ts'

/** A command that has done its own work does not stay longer for others' lines. */
const BUDGET_MS = 5000
/** A spool of another host (a shared home folder, a container that was replaced) is taken once it was quiet for so long. */
const FOREIGN_QUIET_MS = 60_000
const CLAIM = /\.(\d+)-(\w*)$/

/** Delivers what agents that died or gave up have left in the spool, within a bounded time. Failures leave it for the next. */
export async function deliverInPassing(context: Context): Promise<void> {
  const deadline = performance.now() + BUDGET_MS
  for (const { folder, name } of abandonedSpools(context)) {
    if (performance.now() > deadline) return
    const dir = claim(folder, name)
    if (dir === undefined) continue
    const { deliverSpool } = await import('./recover.ts')
    try {
      if (!(await deliverSpool(context, dir, deadline - performance.now()))) return
    } catch (error) {
      context.explain(`the spool ${dir} is kept: ${(error as Error).message}`)
    }
  }
}

/** Spools whose agent has gone, oldest first. */
function abandonedSpools({ config }: Context): { folder: string; name: string }[] {
  const folders = [
    spoolDir(config),
    ...temporaryHomes()
      .filter(isOwn)
      .map(home => join(home, 'spool')),
  ]
  return [...new Set(folders)].flatMap(folder => abandonedIn(folder).map(name => ({ folder, name })))
}

function abandonedIn(folder: string): string[] {
  let names: string[]
  try {
    names = readdirSync(folder).sort()
  } catch {
    return []
  }
  return names.filter(name => {
    const dir = join(folder, name)
    const owner = ownerOf(dir, name)
    if (owner === undefined) return isQuiet(dir)
    // Taken over before, and not all of it could be delivered.
    if (name.endsWith(claimMark())) return true
    return owner.host === hostname() ? !isAlive(owner) : isQuiet(dir)
  })
}

/** Who delivered last: its name is part of the folder's, so that taking a spool over is one atomic rename. */
function ownerOf(dir: string, name: string): Owner | undefined {
  const meta = readMeta(dir)
  const claimed = CLAIM.exec(name)
  if (!meta || !claimed) return meta?.owner
  return { host: hostname(), pid: Number(claimed[1]), startedAt: claimed[2]! }
}

function claim(folder: string, name: string): string | undefined {
  const dir = join(folder, `${name.replace(CLAIM, '')}${claimMark()}`)
  try {
    renameSync(join(folder, name), dir)
    if (readMeta(dir)) return dir
    // Died before it could say whose lines these are: there are none.
    rmSync(dir, { recursive: true, force: true })
  } catch {
    // Another agent was quicker.
  }
  return undefined
}

/** At the end of the name of what this process has taken over. */
function claimMark(): string {
  const { pid, startedAt } = thisProcess()
  return `.${pid}-${startedAt}`
}

function isQuiet(dir: string): boolean {
  const changed = Math.max(
    ...['.', 'meta.json'].map(name => statSync(join(dir, name), { throwIfNoEntry: false })?.mtimeMs ?? 0),
  )
  return Date.now() - changed > FOREIGN_QUIET_MS
}

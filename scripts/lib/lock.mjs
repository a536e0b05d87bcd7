import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** Runs `work` while no other process holds the lock file; one that died with it loses it. */
export async function withLock(path, waiting, work) {
  mkdirSync(dirname(path), { recursive: true })
  const own = `${path}.${process.pid}`
  writeFileSync(own, String(process.pid))
  try {
    for (let told = false; !take(own, path); await delay(200)) {
      const holder = holderOf(path)
      if (holder !== undefined && !isAlive(holder)) steal(path, own, holder)
      else if (!told && holder !== undefined) told = waiting(holder) ?? true
    }
    return await work()
  } finally {
    if (holderOf(path) === process.pid) rmSync(path, { force: true })
    rmSync(own, { force: true })
  }
}

function take(own, path) {
  try {
    linkSync(own, path)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

function holderOf(path) {
  try {
    return Number(readFileSync(path, 'utf8'))
  } catch {
    return undefined // released meanwhile
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Another waiter may steal at the same time and take the lock at once: what we moved away is put back where it is not the dead one's. */
function steal(path, own, deadHolder) {
  const aside = `${own}.stale`
  try {
    renameSync(path, aside)
  } catch {
    return
  }
  if (holderOf(aside) !== deadHolder) take(aside, path)
  rmSync(aside, { force: true })
}

import { linkSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { isAlive, type Owner, thisProcess } from '../delivery/meta.ts'
import { CommandError, EXIT } from '../exit.ts'
import { makeFolder } from '../make-folder.ts'

/** What is known of a running daemon. */
interface Record extends Owner {
  sessionId: string
  pidFile: string
}

const ATTEMPTS = 40
const WAIT_MS = 50

/**
 * Makes this process the one daemon of a session on this host, and writes its id into `pidFile`.
 *
 * A pid alone says little after a crash: another process may have it by now. So the truth is a record beside, with the time the
 * process started, and the pid file is for people and service managers.
 * @param given where the pid file is to lie; default: beside the record
 * @returns removes both
 * @throws CommandError where a daemon lives already, or the file cannot be written
 */
export async function holdPidFile(
  home: string,
  sessionId: string,
  given: string | undefined,
): Promise<() => void> {
  const dir = join(home, 'daemons')
  const stem = join(dir, `${encodeURIComponent(sessionId)}@${hostname()}`)
  const own: Record = { ...thisProcess(), sessionId, pidFile: given ?? `${stem}.pid` }
  try {
    makeFolder(dir, 0o700)
    await takeRecord(`${stem}.json`, own)
    checkPidFile(dir, own)
    put(own.pidFile, `${own.pid}\n`)
  } catch (error) {
    if (isOwn(`${stem}.json`, own)) rmSync(`${stem}.json`)
    if (error instanceof CommandError) throw error
    throw new CommandError(
      EXIT.failure,
      `the pid file ${own.pidFile} cannot be written: ${(error as Error).message}; name another with --pid-file`,
    )
  }
  return () => {
    if (readPid(own.pidFile) === own.pid) rmSync(own.pidFile, { force: true })
    if (isOwn(`${stem}.json`, own)) rmSync(`${stem}.json`, { force: true })
  }
}

/** A link is made or is not, by whoever comes first, and never seen half written. */
async function takeRecord(path: string, own: Record): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    if (create(path, own)) return
    const other = read(path)
    if (other && isAlive(other)) {
      throw new CommandError(
        EXIT.failure,
        `a daemon of session ${own.sessionId} runs already on this machine (process ${other.pid}); stop it first (kill ${other.pid})`,
      )
    }
    // Only who holds the lock removes what is stale, and only that: two daemons may have found it at once.
    const lock = `${path}.lock`
    if (create(lock, own)) {
      const now = read(path)
      if (now === undefined || !isAlive(now)) rmSync(path, { force: true })
      rmSync(lock, { force: true })
    } else {
      const holder = read(lock)
      if (holder && !isAlive(holder)) rmSync(lock, { force: true })
      await new Promise(resolve => setTimeout(resolve, WAIT_MS))
    }
  }
  throw new CommandError(EXIT.failure, `${path} is being written by another daemon all the time; remove it`)
}

/** A pid file that was asked for may belong to a daemon of another session. */
function checkPidFile(dir: string, own: Record): void {
  const pid = readPid(own.pidFile)
  if (pid === undefined || pid === own.pid) return
  const others = readdirSync(dir)
    .filter(name => name.endsWith('.json'))
    .map(name => read(join(dir, name)))
  const holder = others.find(other => other?.pid === pid && other.pidFile === own.pidFile && isAlive(other))
  if (!holder) return
  throw new CommandError(
    EXIT.failure,
    `the pid file ${own.pidFile} belongs to the daemon of session ${holder.sessionId} (process ${pid}); name another with --pid-file`,
  )
}

function create(path: string, record: Record): boolean {
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, JSON.stringify(record), { mode: 0o600 })
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

function put(path: string, text: string): void {
  writeFileSync(`${path}.${process.pid}`, text)
  renameSync(`${path}.${process.pid}`, path)
}

function read(path: string): Record | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record
  } catch {
    return undefined
  }
}

function isOwn(path: string, own: Record): boolean {
  const found = read(path)
  return found?.pid === own.pid && found.startedAt === own.startedAt
}

function readPid(path: string): number | undefined {
  try {
    return Number(readFileSync(path, 'utf8').trim()) || undefined
  } catch {
    return undefined
  }
}

import { spawn } from 'node:child_process'
import type { Environment } from '../config.ts'
import { withoutCredentials } from './url.ts'

export interface GitOptions {
  cwd: string
  env: Environment
  /** Ends it. */
  signal: AbortSignal
  /** A line of its progress. */
  onLine(line: string): void
}

/** What git said when it failed, without anybody's password. */
export class GitError extends Error {}

/** Ended where it has said nothing for so long: a server that hangs, a lock that stays. */
const SILENCE_MS = 5 * 60_000
/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 5000
/** How long is read on after its exit: a connection of ssh that stays, or a helper, may hold its output for hours. */
const LINGER_MS = 500
const MAX_OUTPUT = 1024 * 1024

/**
 * Runs git, which asks nobody for a password: its own credential helpers and ssh keys answer, or it fails. A session of its own
 * takes the terminal from ssh, too.
 * @returns its stdout, trimmed
 * @throws GitError with its reason
 */
export function git(args: string[], { cwd, env, signal, onLine }: GitOptions): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const environment: Environment = { ...env, ...UNATTENDED }
  const child = spawn('git', args, {
    cwd,
    env: environment as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
  })
  let stdout = ''
  let stderr = ''
  let silent = false
  let forced: NodeJS.Timeout | undefined
  const kill = () => {
    killGroup(child.pid, 'SIGTERM')
    forced ??= setTimeout(() => killGroup(child.pid, 'SIGKILL'), GRACE_MS)
  }
  const watch = setTimeout(() => {
    silent = true
    kill()
  }, SILENCE_MS)
  signal.addEventListener('abort', kill)
  child.stdout.on('data', chunk => {
    watch.refresh()
    if (stdout.length < MAX_OUTPUT) stdout += chunk
  })
  let open = ''
  child.stderr.on('data', chunk => {
    watch.refresh()
    const lines = (open + chunk).split(/[\r\n]/)
    open = lines.pop()!.slice(-MAX_OUTPUT)
    for (const line of lines.map(withoutCredentials).filter(text => text.trim() !== '')) {
      stderr = `${stderr}${line}\n`.slice(-4096)
      onLine(line)
    }
  })
  const end = () => {
    clearTimeout(watch)
    clearTimeout(forced)
    signal.removeEventListener('abort', kill)
  }
  child.on('error', error => {
    end()
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    reject(
      new GitError(missing ? 'git is not installed (or not on PATH)' : `git cannot be run: ${error.message}`),
    )
  })
  child.on('exit', () => {
    end()
    const linger = setTimeout(() => {
      child.stdout.destroy()
      child.stderr.destroy()
    }, LINGER_MS)
    child.on('close', () => clearTimeout(linger))
  })
  child.on('close', (code, killedBy) => {
    stderr += withoutCredentials(open)
    if (code === 0) resolve(stdout.trim())
    else if (silent) reject(new GitError(`git ${args[0]} said nothing for ${SILENCE_MS / 60_000} minutes`))
    else reject(new GitError(reasonOf(stderr) || `git ${args[0]} ended with ${code ?? killedBy}`))
  })
  if (signal.aborted) kill()
  return promise
}

const UNATTENDED = {
  GIT_TERMINAL_PROMPT: '0',
  GCM_INTERACTIVE: 'never',
  // Messages that are looked at, and shown to people who read this log in one language.
  LC_ALL: 'C.UTF-8',
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, signal)
  } catch {
    // It has gone already.
  }
}

/** The lines that say why, of all it has said. */
function reasonOf(stderr: string): string {
  const lines = stderr.trim().split('\n')
  const telling = lines.filter(line => /^(fatal|error|ssh|remote: [^CRE]|.*: Permission denied)/i.test(line))
  return (telling.length > 0 ? telling : lines.slice(-3)).slice(-5).join('; ')
}

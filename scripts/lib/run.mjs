import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { root } from './project.mjs'

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP']

/**
 * Runs a program in the foreground: our terminal is its terminal, our signals are its signals.
 * @returns its exit code, 128 + n where a signal ended it
 */
export function runInForeground(file, args, env, cwd = root) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, stdio: 'inherit', env: { ...process.env, ...env } })
    const forward = signal => {
      // A terminal sends Ctrl-C to the child as well; a second one would count as impatience.
      if (signal === 'SIGINT' && process.stdin.isTTY) return
      child.kill(signal)
    }
    for (const signal of SIGNALS) process.on(signal, forward)
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      for (const name of SIGNALS) process.off(name, forward)
      resolve(code ?? 128 + constants.signals[signal])
    })
  })
}

/**
 * Runs a step to its end without input, in a process group of its own that is gone when this resolves.
 * @param options `quiet`: collect the output instead of showing it; `timeoutMs`: then the group is killed
 * @returns `{code, output, timedOut, leftover}`; `leftover`: names of processes that outlived the step and were killed
 */
export function runToEnd(file, args, { env, quiet = false, timeoutMs = 0, shell = false } = {}) {
  return new Promise((resolve, reject) => {
    const grouped = process.platform !== 'win32'
    const child = spawn(file, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      detached: grouped,
      shell,
    })
    let output = ''
    const show = stream => chunk => {
      output = (output + chunk).slice(-200_000)
      if (!quiet) stream.write(chunk)
    }
    child.stdout.on('data', show(process.stdout))
    child.stderr.on('data', show(process.stderr))

    const kill = signal => {
      try {
        process.kill(grouped ? -child.pid : child.pid, signal)
        return true
      } catch {
        return false // nobody is left
      }
    }
    const interrupt = signal => {
      kill(signal)
      child.once('close', () => process.exit(128 + constants.signals[signal]))
    }
    for (const signal of SIGNALS) process.on(signal, interrupt)
    let timedOut = false
    let leftover = []
    const timer = timeoutMs > 0 ? setTimeout(() => (timedOut = kill('SIGKILL')), timeoutMs) : undefined
    child.on('error', reject)
    // Children that outlive the step hold its pipes open: without their end there is no `close`.
    child.on('exit', () => {
      leftover = timedOut ? [] : livingIn(child.pid)
      if (grouped) kill('SIGKILL')
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      for (const name of SIGNALS) process.off(name, interrupt)
      resolve({ code: code ?? 128 + constants.signals[signal], output, timedOut, leftover })
    })
  })
}

/** Names of a process group's members on Linux; the dead that nobody has collected do not count. */
function livingIn(group) {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc').flatMap(pid => {
    try {
      const [, name, state, , inGroup] = /^\d+ \((.*)\) (\S) (\S+) (\S+)/s.exec(
        readFileSync(`/proc/${pid}/stat`, 'utf8'),
      )
      return Number(inGroup) === group && state !== 'Z' ? [name] : []
    } catch {
      return [] // no process, or gone meanwhile
    }
  })
}

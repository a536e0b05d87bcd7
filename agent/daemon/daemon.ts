import { hostname } from 'node:os'
import type { Context } from '../context.ts'
import { agentIdOf } from '../delivery/meta.ts'
import { describeFailure, EXIT } from '../exit.ts'
import { Frugal } from './frugal.ts'
import { type DaemonServer, openHttp } from './http.ts'
import { type DaemonLog, logFile, openLog } from './log.ts'
import { holdPidFile } from './pid-file.ts'
import { Queue } from './queue.ts'
import { serve } from './serve.ts'
import { findSession } from './session.ts'
import { SessionSocket } from './session-socket.ts'
import { Shutdown } from './shutdown.ts'
import { DaemonState } from './state.ts'
import { Wake } from './wake.ts'

export interface DaemonOptions {
  host: string
  port: number
  /** Whether this port and no other will do. */
  portAsked: boolean
  /** Default: in the base dir, one for each session. */
  pidFile: string | undefined
  pollMs: number
  /** How long a running task may go on when the daemon is to end. */
  graceMs: number
}

/** `keruta daemon`: serves a session until it is over, or until it is asked to end. @returns the exit code */
export async function runDaemon(outer: Context, options: DaemonOptions): Promise<number> {
  const frugal = new Frugal()
  const { config } = outer
  const secrets = await outer.secrets()
  const log = openLog({
    file: logFile(config.home),
    format: config.logFormat,
    output: config.logOutput,
    level: config.verbose ? 'DEBUG' : config.quiet ? 'WARN' : config.logLevel,
    mask: text => secrets.text(text),
  })
  const shutdown = new Shutdown(options.graceMs)
  const forget = endBySignal(shutdown, log)
  if (config.maxConcurrentTasks !== 1)
    log.warn('KERUTA_MAX_CONCURRENT_TASKS: tasks run one at a time, always')
  try {
    const context = { ...outer, say: log.info, warn: log.warn, explain: log.debug }
    const sessionId = await findSession(context, shutdown.asked)
    if (sessionId === undefined) return EXIT.success
    return await serveSession(
      { ...context, config: { ...config, sessionId } },
      sessionId,
      options,
      shutdown,
      log,
      frugal,
    )
  } catch (error) {
    const { message, exitCode } = describeFailure(error)
    log.error(message)
    return exitCode
  } finally {
    forget()
  }
}

async function serveSession(
  context: Context,
  sessionId: string,
  options: DaemonOptions,
  shutdown: Shutdown,
  log: DaemonLog,
  frugal: Frugal,
): Promise<number> {
  const removePidFile = await holdPidFile(context.config.home, sessionId, options.pidFile)
  const state = new DaemonState(sessionId)
  const wake = new Wake()
  let http: DaemonServer | undefined
  let socket: SessionSocket | undefined
  shutdown.asked.addEventListener('abort', () => {
    state.ending = shutdown.reason
    wake.wake()
  })
  try {
    const queue = new Queue(context, sessionId, agentIdOf())
    const status = await queue.check(shutdown.asked)
    if (status !== undefined) {
      log.info(`nothing to do: the session is ${status}`, { sessionId })
      return EXIT.success
    }
    http = await openHttp({ ...options, state, shutdown, log, config: context.config })
    log.info('daemon started', { sessionId, url: http.url, server: context.config.apiUrl, pid: process.pid })
    socket = openSocket(context, sessionId, state, wake, log)
    const why = await serve({ context, queue, wake, shutdown, state, log, frugal, pollMs: options.pollMs })
    log.info(`daemon ends: ${why}`, { ...state.counts })
    return EXIT.success
  } finally {
    socket?.stop()
    http?.close()
    removePidFile()
  }
}

function openSocket(
  { config }: Context,
  sessionId: string,
  state: DaemonState,
  wake: Wake,
  log: DaemonLog,
): SessionSocket {
  const { apiUrl, token, workspaceId, reconnectMs } = config
  return new SessionSocket({
    url: `${apiUrl.replace(/^http/, 'ws')}/ws/sessions/${encodeURIComponent(sessionId)}`,
    token,
    hello: { agentId: agentIdOf(), host: hostname(), pid: process.pid, workspaceId },
    reconnectMs,
    on: {
      news: () => wake.wake(),
      session: status => {
        if (status === 'ACTIVE') return
        const { current } = state
        const running = current ? `; task ${current.taskId} goes on to its end` : ''
        log.info(`the session is ${status}: no further task is taken${running}`)
      },
      connected: () => {
        state.connected = true
        log.debug('connected: the server says when there is work')
      },
      disconnected: reason => {
        state.connected = false
        log.debug(`not connected: ${reason}; asking every ${config.pollIntervalMs / 1000} s`)
      },
    },
  })
}

/** @returns the signals are this process's own again */
function endBySignal(shutdown: Shutdown, log: DaemonLog): () => void {
  const end = (signal: NodeJS.Signals) => () => {
    const again = shutdown.asked.aborted
    log.info(
      `${signal}: ${again ? 'ending at once' : 'ending; a running task may finish within the grace time'}`,
    )
    shutdown.ask(signal, false)
  }
  // Node forgets that nohup has it ignored. Who closes the terminal in which a daemon was started means it.
  const hangUp = process.stdin.isTTY ? end('SIGHUP') : () => log.debug('SIGHUP: ignored')
  const handlers = { SIGTERM: end('SIGTERM'), SIGINT: end('SIGINT'), SIGHUP: hangUp }
  for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler)
  return () => {
    for (const [signal, handler] of Object.entries(handlers)) process.off(signal, handler)
  }
}

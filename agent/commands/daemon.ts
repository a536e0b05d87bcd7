import type { Command } from 'commander'
import type { Handler } from '../cli.ts'
import type { Config } from '../config.ts'
import { usageError } from '../exit.ts'
import { numberFlag } from '../flags.ts'

const LOG_CHOICES = [
  ['logFormat', ['json', 'text']],
  ['logOutput', ['stderr', 'stdout', 'file']],
] as const

export function define(command: Command, action: (handler: Handler) => void): void {
  command
    .option('--port <port>', "the daemon's own HTTP API; 0 for any free port (KERUTA_DAEMON_PORT)")
    .option('--host <host>', 'where that listens', 'localhost')
    .option('--pid-file <file>', 'default: in ~/.keruta/daemons, one for each session')
    .option(
      '--poll-interval <seconds>',
      'how often it asks for work that it was not told of (KERUTA_POLL_INTERVAL)',
    )
    .option('--grace <duration>', 'how long a running task may go on when the daemon is to end', '20s')
    .addHelpText(
      'after',
      `
Runs the tasks of a session one after the other, by priority and then by age, each as keruta execute would, and goes on
after a failure. It ends when the session is COMPLETED or ARCHIVED. Without --session-id it serves the ACTIVE session of
the workspace (KERUTA_WORKSPACE_ID or CODER_WORKSPACE_ID).

On SIGTERM a running task may finish within the grace time, or is stopped and goes back to the queue; a second signal
stops it at once. Its own log goes to stderr and ~/.keruta/logs/daemon.log, as JSON.

Examples:
  $ keruta daemon --session-id session-123
  $ nohup keruta daemon --poll-interval 10 --port 8090 > /dev/null 2>&1 &
  $ curl localhost:8090/status
  $ curl -X POST localhost:8090/stop`,
    )
  action(async (context, options) => {
    const { config } = context
    for (const [name, choices] of LOG_CHOICES) demandChoice(config, name, choices)
    const { runDaemon } = await import('../daemon/daemon.ts')
    const portFrom = config.resolved.find(({ name }) => name === 'daemonPort')?.from
    const port = numberFlag('count', '--port', options.port) ?? config.daemonPort
    if (port > 65_535) throw usageError(`the port ${port} must be 0 to 65535`)
    return runDaemon(context, {
      host: String(options.host),
      port,
      portAsked: options.port !== undefined || portFrom !== 'default',
      pidFile: options.pidFile as string | undefined,
      pollMs: numberFlag('duration', '--poll-interval', options.pollInterval) ?? config.pollIntervalMs,
      graceMs: numberFlag('duration', '--grace', options.grace) ?? 0,
    })
  })
}

function demandChoice(config: Config, name: 'logFormat' | 'logOutput', choices: readonly string[]): void {
  if (choices.includes(config[name])) return
  const { setting, from } = config.resolved.find(each => each.name === name)!
  throw usageError(`${from}: ${setting.key} "${config[name]}" must be ${choices.join(' or ')}`)
}

import type { TaskView } from '#protocol/task.ts'
import type { Context } from '../context.ts'
import type { Api } from '../delivery/api.ts'
import { backoffMs } from '../delivery/backoff.ts'
import { streamSettings } from '../delivery/stream-settings.ts'
import { CommandError, EXIT } from '../exit.ts'
import { type Closed, Following, type Print } from './following.ts'
import type { ReadOptions } from './read-logs.ts'
import { TaskWatch } from './task-watch.ts'

/**
 * Prints entries after `cursor` as they come, until the task is over or Ctrl-C. A lost connection is taken up again where it broke.
 * @returns up to where it has printed, and the task where that is over
 */
export async function followLog(
  context: Context,
  api: Api,
  options: ReadOptions,
  cursor: number,
  print: Print,
): Promise<{ after: number; task?: TaskView }> {
  const { websocketUrl, reconnectMs } = streamSettings(context.config)
  const url = `${websocketUrl}/${encodeURIComponent(options.taskId)}`
  const interrupted = new Promise<'interrupted'>(resolve =>
    process.once('SIGINT', () => resolve('interrupted')),
  )
  const watch = new TaskWatch(context, api, options.path)
  let after = cursor
  for (let attempt = 0; ; attempt++) {
    const connection = new Following(url, context.config.token, options, after, api, print, () =>
      watch.look(),
    )
    const ended = await Promise.race([connection.closed, interrupted, watch.over])
    if (ended === 'interrupted' || 'id' in ended) {
      watch.close()
      connection.close()
      await connection.closed
      return { after: connection.after, task: ended === 'interrupted' ? undefined : ended }
    }
    refuse(ended)
    if (connection.subscribed) attempt = 0
    // One that broke is nothing to speak of where the next one stands.
    if (attempt === 1) context.say('the server is away; the log goes on here once it is back')
    after = connection.after
    await Promise.race([
      new Promise(resolve => setTimeout(resolve, backoffMs(attempt + 1, reconnectMs, Math.random()))),
      interrupted,
    ])
  }
}

/** @throws CommandError where asking again would not help */
function refuse({ status, error }: Closed): void {
  if (status === 401 || status === 403)
    throw new CommandError(
      EXIT.refused,
      'the server refuses to show this log; check --token or KERUTA_API_TOKEN',
    )
  if (error) throw new CommandError(error.code === 'FORBIDDEN' ? EXIT.refused : EXIT.failure, error.message)
}

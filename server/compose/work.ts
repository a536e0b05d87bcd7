import { uuidv7 } from '#protocol/ids.ts'
import { createArtifacts } from '#server/artifacts/artifacts.ts'
import { startSweep } from '#server/artifacts/sweep.ts'
import type { Config } from '#server/config.ts'
import { RemoteWriters } from '#server/live/bus/remote-writers.ts'
import { Daemons } from '#server/live/daemons.ts'
import { LiveWriters } from '#server/live/live-writers.ts'
import { StatsFeed } from '#server/live/stats-feed.ts'
import { deleteLogs } from '#server/logs/delete.ts'
import { createIngest } from '#server/logs/ingest.ts'
import { lastLines } from '#server/logs/last-lines.ts'
import { logState } from '#server/logs/log-state.ts'
import { sayOnce } from '#server/logs/say-once.ts'
import { createAutoFixes, type Say } from '#server/tasks/auto-fix.ts'
import { Heartbeats } from '#server/tasks/heartbeats.ts'
import { createInputs } from '#server/tasks/input.ts'
import { narrate } from '#server/tasks/narrate.ts'
import { createObserver } from '#server/tasks/observations.ts'
import { createSessions } from '#server/tasks/sessions.ts'
import { createTasks, type TaskChange } from '#server/tasks/tasks.ts'
import { startWatch } from '#server/tasks/watch.ts'
import type { Base } from './base.ts'
import type { News } from './news.ts'

export type Work = ReturnType<typeof createWork>

/** What is done with tasks, sessions, lines and files. Whatever comes of it is said in `news`. */
export function createWork(base: Base, config: Pick<Config, 'maxArtifactBytes'>, news: News) {
  const { store, bus, metrics, queries, logger, clock, monotonic } = base
  const { segments } = store

  const writers = new LiveWriters((taskId, here) => bus.send({ type: 'writer', taskId, here }))
  const remoteWriters = new RemoteWriters({
    own: () => writers.taskIds,
    send: event => bus.send(event),
    onGone: taskIds => news.emit('stats', taskIds),
    now: clock,
  })
  const daemons = new Daemons({
    send: event => bus.send(event),
    onChange: sessionId => news.emit('serving', sessionId),
    clock,
  })
  const stats = new StatsFeed(taskIds => {
    bus.send({ type: 'stats', taskIds })
    news.emit('stats', taskIds)
  })

  const artifacts = createArtifacts({
    store,
    maxBytes: config.maxArtifactBytes,
    onChange: taskId => news.emit('artifacts', taskId),
    onReceived: metrics.artifactReceived,
    clock,
    newId: uuidv7,
  })
  const tasks = createTasks({
    store,
    segments,
    logState: (task, head) => logState(head, task.status, writers.has(task.id) || remoteWriters.has(task.id)),
    async deleteLogs(taskId) {
      await artifacts.removeOf(taskId)
      await deleteLogs(segments, taskId)
    },
    onChange: change => news.emit('task', change),
    clock,
    newId: uuidv7,
  })
  const sessions = createSessions({
    store,
    removeTask: tasks.remove,
    onChange: change => news.emit('session', change),
    serving: sessionId => daemons.of(sessionId),
    clock,
    newId: uuidv7,
  })
  const inputs = createInputs({
    tasks,
    inputs: store.inputs,
    onInput: taskId => news.emit('input', taskId),
    clock,
    newId: uuidv7,
  })
  const heartbeats = new Heartbeats({ tasks: store.tasks, leases: tasks, clock, monotonic })
  const ingest = createIngest({
    segments,
    ensureTask: taskId => tasks.ensure(taskId, { name: 'agent' }),
    publish(taskId, firstSeq, segment) {
      bus.publish(taskId, firstSeq, segment)
      stats.changed(taskId)
    },
    onCommit(lines, bytes, seconds) {
      metrics.received(lines, bytes)
      metrics.ingested(seconds)
    },
    now: clock,
  })
  const say: Say = (...said) => sayOnce(ingest, ...said)
  const autoFixes = createAutoFixes({
    tasks,
    sessions: store.sessions,
    lastLines: (...asked) => lastLines(queries, ...asked),
    say,
    clock,
  })

  /** The task's log says what the server did. */
  async function tell(change: TaskChange): Promise<void> {
    const told = narrate(change)
    if (told) await ingest.appendEntries(change.task.id, [{ source: 'agent', ...told }])
  }
  news.on('task', change => {
    tell(change).catch(err => logger.error({ err }, "a task's log does not say what the server did"))
    inputs.onChange(change).catch(err => logger.error({ err }, 'input that nobody takes any more is left'))
  })

  let watches: { close(): Promise<void> }[] = []
  return {
    tasks,
    sessions,
    artifacts,
    inputs,
    heartbeats,
    ingest,
    autoFixes,
    observe: createObserver({ tasks, say }),
    remoteWriters,
    daemons,
    /** A writer of a stream has come; the answer is called when it goes. */
    writer(taskId: string): () => void {
      const leave = writers.add(taskId)
      return () => {
        leave()
        stats.changed(taskId)
      }
    },
    /** @param before only entries older than this time (ms); how many were deleted */
    async deleteLogs(taskId: string, before: number | undefined): Promise<number> {
      const deleted = await deleteLogs(segments, taskId, before)
      const totals = (await segments.totals([taskId])).get(taskId)
      news.emit('cleared', taskId, totals?.firstSeq ?? 0)
      stats.changed(taskId)
      return deleted
    },
    /** From now on it looks by itself for what has to be ended or cleared away. */
    begin() {
      const watch = startWatch({
        store,
        changes: tasks,
        onEnded: metrics.runEnded,
        logger,
        clock,
        monotonic,
      })
      watches = [watch, startSweep(artifacts, logger)]
    },
    async close() {
      for (const watch of watches) await watch.close()
      heartbeats.close()
      stats.close()
      remoteWriters.close()
      daemons.close()
      await ingest.idle()
    },
  }
}

import { Alert, Stack, Title } from '@mantine/core'
import Link from 'next/link'
import type { ReactNode } from 'react'
import type { TaskView } from '#protocol/task.ts'
import { LEASE_SECONDS } from '#protocol/task-calls.ts'
import { agentInWords } from '../../lib/agent-name.ts'
import { plainText } from '../../lib/ansi.ts'
import { bytes, count, dateTime, duration } from '../../lib/format.ts'
import { useNow } from '../../lib/use-now.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { Elapsed } from '../time.tsx'
import { AutoFixChain } from './auto-fix-chain.tsx'
import { History } from './history.tsx'
import classes from './task.module.css'

/** What a task is, what it used, how it came to where it stands. */
export function Overview({ task }: { task: TaskView }) {
  const text = useMessages().task
  const explanation = task.status === 'FAILED' && task.errorCode && text.explained(task.errorCode, task)
  return (
    <Stack gap="lg">
      {explanation && (
        <Alert color="red" variant="light" title={task.errorCode}>
          {explanation}
        </Alert>
      )}
      <Facts task={task} />
      <AutoFixChain task={task} />
      <section>
        <Title order={2} size="h5" mb="xs">
          {text.history}
        </Title>
        <History task={task} />
      </section>
    </Stack>
  )
}

function Facts({ task }: { task: TaskView }) {
  const { task: text, agent, autoFix } = useMessages()
  const time = (at: string | null) => at && dateTime(new Date(at))
  const facts: [string, ReactNode][] = [
    [text.name, task.name !== task.id && plainText(task.name)],
    [text.id, task.id],
    [
      text.session,
      task.sessionId && (
        <Link href={`/sessions/${encodeURIComponent(task.sessionId)}`}>{task.sessionId}</Link>
      ),
    ],
    [text.agent, task.agentId && agentInWords(task.agentId, agent)],
    [text.lease, task.status === 'PROCESSING' && task.leaseUntil && <LastSign until={task.leaseUntil} />],
    [
      autoFix.of,
      task.autoFixOf && <Link href={`/tasks/${encodeURIComponent(task.autoFixOf)}`}>{task.autoFixOf}</Link>,
    ],
    [text.attempts, task.maxAttempts > 1 && text.attempt(task.attempt, task.maxAttempts)],
    [text.timeout, task.timeoutSeconds && duration(task.timeoutSeconds * 1000)],
    [text.priority, task.priority !== 0 && count(task.priority)],
    [text.createdAt, time(task.createdAt)],
    [text.started, time(task.startedAt)],
    [text.finished, time(task.finishedAt)],
    [text.wall, task.startedAt && <Elapsed task={task} />],
    ...used(task, text),
    [text.size, bytes(task.logs.bytes)],
  ]
  return (
    <dl className={classes.facts}>
      {facts.map(([name, value]) =>
        value ? (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ) : null,
      )}
    </dl>
  )
}

/** What the script and its children used. */
function used(task: TaskView, text: ReturnType<typeof useMessages>['task']): [string, ReactNode][] {
  const { maxRssBytes, cpuUserMs, cpuSystemMs } = task.resources ?? {}
  const cpu = (cpuUserMs ?? 0) + (cpuSystemMs ?? 0)
  const cores = task.durationMs && task.durationMs > 0 ? cpu / task.durationMs : undefined
  return [
    [text.memory, maxRssBytes && bytes(maxRssBytes)],
    [
      text.cpu,
      cpu > 0 && text.cpuOf(duration(cpu), duration(cpuUserMs ?? 0), duration(cpuSystemMs ?? 0), cores),
    ],
  ]
}

/** When the agent last said that it lives. */
function LastSign({ until }: { until: string }) {
  const text = useMessages().task
  const now = useNow()
  if (!now) return null
  const ago = Math.max(0, now - (Date.parse(until) - LEASE_SECONDS * 1000))
  const late = now > Date.parse(until)
  return <span className={late ? classes.failure : undefined}>{text.lastSign(duration(ago), late)}</span>
}

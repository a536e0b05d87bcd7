'use client'

import { Button, Drawer, Group, Stack, Timeline, Title } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import Link from 'next/link'
import type { ReactNode } from 'react'
import type { TaskView } from '#protocol/task.ts'
import { plainText } from '../../lib/ansi.ts'
import { bytes, count, dateTime, duration } from '../../lib/format.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { Copy } from '../states.tsx'
import { StatusBadge } from '../status-badge.tsx'
import classes from './task.module.css'

/** Everything about a task that is not looked at all the time: facts, status history, script. */
export function TaskDetails({ task }: { task: TaskView }) {
  const text = useMessages().task
  const [opened, { open, close }] = useDisclosure()
  return (
    <>
      <Button size="compact-xs" variant="default" onClick={open}>
        {text.details}
      </Button>
      <Drawer opened={opened} onClose={close} position="right" size="lg" title={text.details}>
        <Stack gap="lg">
          <Facts task={task} />
          <section>
            <Title order={2} size="h5" mb="xs">
              {text.history}
            </Title>
            <History task={task} />
          </section>
          {task.script !== null && (
            <section>
              <Group mb="xs" gap="sm">
                <Title order={2} size="h5">
                  {text.script}
                </Title>
                <Copy value={task.script} />
              </Group>
              <pre className={classes.script}>{task.script}</pre>
            </section>
          )}
        </Stack>
      </Drawer>
    </>
  )
}

function Facts({ task }: { task: TaskView }) {
  const text = useMessages().task
  const time = (at: string | null) => at && dateTime(new Date(at))
  const cpu = (task.resources?.cpuUserMs ?? 0) + (task.resources?.cpuSystemMs ?? 0)
  const facts: [string, ReactNode][] = [
    [text.name, task.name !== task.id && plainText(task.name)],
    [text.id, task.id],
    [
      text.session,
      task.sessionId && (
        <Link href={`/sessions/${encodeURIComponent(task.sessionId)}`}>{task.sessionId}</Link>
      ),
    ],
    [text.agent, task.agentId],
    [text.priority, task.priority !== 0 && count(task.priority)],
    [text.createdAt, time(task.createdAt)],
    [text.started, time(task.startedAt)],
    [text.finished, time(task.finishedAt)],
    [text.size, bytes(task.logs.bytes)],
    [text.memory, task.resources?.maxRssBytes && bytes(task.resources.maxRssBytes)],
    [text.cpu, cpu > 0 && duration(cpu)],
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

function History({ task }: { task: TaskView }) {
  const text = useMessages().task
  return (
    <Timeline bulletSize={12} lineWidth={2}>
      {task.statusHistory.map(change => (
        <Timeline.Item key={`${change.at} ${change.status}`} title={<StatusBadge status={change.status} />}>
          <div className="soft" style={{ fontSize: 12.5 }}>
            {dateTime(new Date(change.at))} · {text.by(change.by)}
          </div>
          {change.message && <div style={{ fontSize: 13 }}>{plainText(change.message)}</div>}
        </Timeline.Item>
      ))}
    </Timeline>
  )
}

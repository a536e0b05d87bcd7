import { SegmentedControl, Stack, Table, Title } from '@mantine/core'
import { IconCircleCheck, IconCircleX, IconProgress } from '@tabler/icons-react'
import { useState } from 'react'
import { observedAttempts, observedIn } from '#protocol/observed.ts'
import type { TaskStep, TaskView } from '#protocol/task.ts'
import { plainText } from '../../lib/ansi.ts'
import { duration } from '../../lib/format.ts'
import { type MetricSeries, seriesOf } from '../../lib/metrics.ts'
import { useNow } from '../../lib/use-now.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { Age } from '../time.tsx'
import { Sparkline } from './sparkline.tsx'
import classes from './steps.module.css'

const ICONS = { RUNNING: IconProgress, COMPLETED: IconCircleCheck, FAILED: IconCircleX }

/** The steps of a run in their order in time, and what it measured; of the present attempt, unless another one is chosen. */
export function Steps({ task, onStep }: { task: TaskView; onStep(step: string): void }) {
  const text = useMessages().steps
  const [chosen, choose] = useState<number>()
  const attempt = chosen ?? task.attempt
  const attempts = observedAttempts(task)
  const { steps, metrics } = observedIn(task, attempt)
  const series = seriesOf(metrics)
  const run = attempt === task.attempt ? task : undefined
  return (
    <Stack gap="lg">
      {attempts.length > 1 && (
        <SegmentedControl
          aria-label={text.attempts}
          size="xs"
          value={String(attempt)}
          onChange={value => choose(Number(value))}
          data={attempts.map(n => ({ value: String(n), label: text.attempt(n) }))}
        />
      )}
      {steps.length + metrics.length === 0 && <p className={classes.hint}>{text.none}</p>}
      {steps.length > 0 && (
        <section>
          <Title order={2} size="h5" mb={4}>
            {text.title}
          </Title>
          <p className={classes.hint}>{text.hint}</p>
          <StepList steps={steps} run={run} onStep={onStep} />
        </section>
      )}
      {series.length > 0 && (
        <section>
          <Title order={2} size="h5" mb={4}>
            {text.metrics}
          </Title>
          <Metrics series={series} />
        </section>
      )}
    </Stack>
  )
}

interface StepListProps {
  steps: TaskStep[]
  /** The run that they are of, where it is the task's last one. */
  run: TaskView | undefined
  onStep(step: string): void
}

function StepList({ steps: unsorted, run, onStep }: StepListProps) {
  const text = useMessages().steps
  const now = useNow()
  const steps = [...unsorted].sort((a, b) => a.startedAt.localeCompare(b.startedAt))
  // A step that the run's end left open has no duration of its own.
  const end = (step: TaskStep) =>
    step.durationMs !== null
      ? Date.parse(step.startedAt) + step.durationMs
      : run?.finishedAt
        ? Date.parse(run.finishedAt)
        : now || Date.parse(step.startedAt)
  const from = Math.min(
    ...steps.map(step => Date.parse(step.startedAt)),
    Date.parse(run?.startedAt ?? '') || Infinity,
  )
  const to = Math.max(...steps.map(end))
  const whole = Math.max(1, to - from)
  return (
    <ol className={classes.steps} data-testid="steps">
      {steps.map(step => {
        const Icon = ICONS[step.status]
        const start = Date.parse(step.startedAt)
        const took = Math.max(0, end(step) - start)
        return (
          <li key={`${step.startedAt} ${step.name}`}>
            <button
              type="button"
              className={classes.step}
              onClick={() => onStep(step.name)}
              title={text.show}
            >
              <Icon
                size={15}
                className={classes.icon}
                data-status={step.status}
                role="img"
                aria-label={text[step.status]}
              />
              <span className={classes.name}>{plainText(step.name)}</span>
              <span className={classes.took}>{duration(took)}</span>
              <span className={classes.track} aria-hidden>
                <span
                  className={classes.bar}
                  data-status={step.status}
                  style={{
                    left: `${((start - from) / whole) * 100}%`,
                    width: `max(2px, ${(took / whole) * 100}%)`,
                  }}
                />
              </span>
            </button>
          </li>
        )
      })}
    </ol>
  )
}

const NUMBER = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 6 })

function Metrics({ series }: { series: readonly MetricSeries[] }) {
  const text = useMessages().steps
  return (
    <Table.ScrollContainer minWidth={300}>
      <Table verticalSpacing={4} horizontalSpacing="xs" tabularNums fz={13} aria-label={text.metrics}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{text.metric}</Table.Th>
            <Table.Th ta="right">{text.latest}</Table.Th>
            <Table.Th ta="right" visibleFrom="sm">
              {text.range}
            </Table.Th>
            <Table.Th>{text.course}</Table.Th>
            <Table.Th ta="right" visibleFrom="sm">
              {text.when}
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {series.map(({ name, values, latest, latestAt, min, max }) => (
            <Table.Tr key={name}>
              <Table.Td>{plainText(name)}</Table.Td>
              <Table.Td ta="right" fw={600}>
                {NUMBER.format(latest)}
              </Table.Td>
              <Table.Td ta="right" visibleFrom="sm">
                {values.length > 1 ? `${NUMBER.format(min)} – ${NUMBER.format(max)}` : ''}
              </Table.Td>
              <Table.Td>
                {values.length > 1 && <Sparkline values={values} label={text.values(values.length)} />}
              </Table.Td>
              <Table.Td ta="right" visibleFrom="sm">
                <Age at={latestAt} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

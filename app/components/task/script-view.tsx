import { Group, Stack, Title } from '@mantine/core'
import type { TaskView } from '#protocol/task.ts'
import { apiUrl, segment } from '../../lib/api.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { Copy } from '../states.tsx'
import classes from './task.module.css'

/** The script as it is run, and the variables that it is given. */
export function ScriptView({ task }: { task: TaskView }) {
  const text = useMessages()
  const env = Object.entries(task.env ?? {})
  return (
    <Stack gap="lg">
      {task.script !== null && (
        <section>
          <Group mb="xs" gap="sm">
            <Title order={2} size="h5">
              {text.task.script}
            </Title>
            <Copy value={task.script} />
            <a href={apiUrl(`/tasks/${segment(task.id)}/script`)} target="_blank" rel="noreferrer">
              {text.task.raw}
            </a>
          </Group>
          <pre className={classes.script}>{task.script}</pre>
        </section>
      )}
      {env.length > 0 && (
        <section>
          <Title order={2} size="h5" mb="xs">
            {text.newTask.env}
          </Title>
          <pre className={classes.script}>{env.map(([name, value]) => `${name}=${value}`).join('\n')}</pre>
        </section>
      )}
    </Stack>
  )
}

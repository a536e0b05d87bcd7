import { Group, NumberInput, Stack, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type { TaskView } from '#protocol/task.ts'
import { inputErrors } from '../../lib/api.ts'
import { type EnvRow, envOf, rowsOf } from '../../lib/env-rows.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { EnvEditor } from '../fields/env-editor.tsx'
import { FormButtons } from '../fields/form-buttons.tsx'
import { ScriptEditor } from '../fields/script-editor.tsx'
import { ErrorState } from '../states.tsx'

/** What a task is, as `POST /tasks` and `PATCH /tasks/{id}` take it. */
export interface TaskFields {
  id?: string
  name?: string
  script: string | null
  env: Record<string, string> | null
  priority: number
  maxAttempts: number
  timeoutSeconds: number | null
}

interface TaskFormProps {
  /** Undefined for a new one. */
  given?: TaskView
  submitLabel: string
  /** The form stays, and says why, where this fails. */
  save(fields: TaskFields): Promise<unknown>
  close(): void
}

const FIELDS = ['name', 'id', 'script', 'priority', 'maxAttempts', 'timeoutSeconds']

export function TaskForm({ given, submitLabel, save, close }: TaskFormProps) {
  const text = useMessages()
  const [form, setForm] = useState(() => ({
    name: given?.name ?? '',
    id: '',
    script: given?.script ?? '',
    env: rowsOf(given?.env) as readonly EnvRow[],
    priority: given?.priority ?? 0,
    maxAttempts: given?.maxAttempts ?? 1,
    timeout: (given?.timeoutSeconds ?? '') as number | string,
  }))
  const set = (part: Partial<typeof form>) => setForm(current => ({ ...current, ...part }))
  const saving = useMutation({
    mutationFn: () =>
      save({
        ...(form.name.trim() && { name: form.name.trim() }),
        ...(form.id.trim() && { id: form.id.trim() }),
        script: form.script.trim() ? form.script : null,
        env: envOf(form.env),
        priority: form.priority,
        maxAttempts: form.maxAttempts,
        timeoutSeconds: form.timeout === '' ? null : Number(form.timeout),
      }),
  })
  const errors = inputErrors(saving.error)
  const placed = errors.size > 0 && [...errors.keys()].every(isPlaced)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    saving.mutate()
  }
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm">
        {saving.isError && !placed && <ErrorState title={text.common.actionFailed} error={saving.error} />}
        <TextInput
          label={text.newTask.name}
          data-autofocus
          maxLength={200}
          error={errors.get('name')}
          value={form.name}
          onChange={event => set({ name: event.currentTarget.value })}
        />
        <ScriptEditor
          label={text.newTask.script}
          description={`${text.newTask.scriptHint} ${text.fields.scriptKeys}`}
          error={errors.get('script')}
          value={form.script}
          onChange={script => set({ script })}
        />
        <EnvEditor
          label={text.newTask.env}
          rows={form.env}
          onChange={env => set({ env })}
          errorOf={name => (name ? errors.get(`env.${name}`) : undefined)}
          error={errors.get('env')}
        />
        <Group grow align="flex-start" preventGrowOverflow={false}>
          <NumberInput
            label={text.newTask.priority}
            description={text.newTask.priorityHint}
            inputWrapperOrder={['label', 'input', 'error', 'description']}
            allowDecimal={false}
            miw={110}
            error={errors.get('priority')}
            value={form.priority}
            onChange={value => set({ priority: Number(value) || 0 })}
          />
          <NumberInput
            label={text.newTask.maxAttempts}
            description={text.newTask.attemptsHint}
            inputWrapperOrder={['label', 'input', 'error', 'description']}
            allowDecimal={false}
            miw={110}
            min={1}
            max={100}
            error={errors.get('maxAttempts')}
            value={form.maxAttempts}
            onChange={value => set({ maxAttempts: Number(value) || 1 })}
          />
          <NumberInput
            label={text.newTask.timeout}
            description={text.newTask.timeoutHint}
            inputWrapperOrder={['label', 'input', 'error', 'description']}
            miw={110}
            min={0}
            error={errors.get('timeoutSeconds')}
            value={form.timeout}
            onChange={timeout => set({ timeout })}
          />
          {!given && (
            <TextInput
              label={text.newTask.id}
              description={text.newTask.idHint}
              inputWrapperOrder={['label', 'input', 'error', 'description']}
              miw={110}
              maxLength={128}
              error={errors.get('id')}
              value={form.id}
              onChange={event => set({ id: event.currentTarget.value })}
            />
          )}
        </Group>
        <FormButtons submitLabel={submitLabel} pending={saving.isPending} close={close} />
      </Stack>
    </form>
  )
}

const isPlaced = (path: string): boolean => FIELDS.includes(path) || path === 'env' || path.startsWith('env.')

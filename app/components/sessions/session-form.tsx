import { Fieldset, Group, Stack, Textarea, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type { NewSession, Session } from '#protocol/session.ts'
import { inputErrors } from '../../lib/api.ts'
import { type EnvRow, envOf, rowsOf } from '../../lib/env-rows.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { EnvEditor } from '../fields/env-editor.tsx'
import { FormButtons } from '../fields/form-buttons.tsx'
import { ScriptEditor } from '../fields/script-editor.tsx'
import { ErrorState } from '../states.tsx'

/** What a session is, as `POST /sessions` and `PATCH /sessions/{id}` take it. */
export type SessionFields = Omit<NewSession, 'id'>

interface SessionFormProps {
  given?: Session
  submitLabel: string
  /** The form stays, and says why, where this fails. */
  save(fields: SessionFields): Promise<void>
  close(): void
}

export function SessionForm({ given, submitLabel, save, close }: SessionFormProps) {
  const text = useMessages()
  const words = text.sessions
  const [form, setForm] = useState(() => written(given))
  const saving = useMutation({ mutationFn: () => save(fieldsOf(form)) })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    saving.mutate()
  }
  const set = (part: Partial<typeof form>) => setForm(current => ({ ...current, ...part }))
  const errors = inputErrors(saving.error)
  const placed = errors.size > 0 && [...errors.keys()].every(path => PLACED.test(path))
  const tagsError = [...errors].find(([path]) => path.startsWith('tags'))?.[1]
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm">
        {saving.isError && !placed && <ErrorState title={text.common.actionFailed} error={saving.error} />}
        <TextInput
          label={words.name}
          required
          data-autofocus
          maxLength={200}
          error={errors.get('name')}
          value={form.name}
          onChange={event => set({ name: event.currentTarget.value })}
        />
        <Textarea
          label={words.description}
          autosize
          maxRows={8}
          error={errors.get('description')}
          value={form.description}
          onChange={event => set({ description: event.currentTarget.value })}
        />
        <Group grow align="flex-start">
          <TextInput
            label={words.tags}
            placeholder={words.tagsHint}
            error={tagsError}
            value={form.tags}
            onChange={event => set({ tags: event.currentTarget.value })}
          />
          <TextInput
            label={words.workspace}
            maxLength={200}
            error={errors.get('workspaceId')}
            value={form.workspaceId}
            onChange={event => set({ workspaceId: event.currentTarget.value })}
          />
        </Group>
        <Fieldset legend={words.template}>
          <Stack gap="sm">
            <span className="soft">{words.templateText}</span>
            <Group grow align="flex-start" preventGrowOverflow={false}>
              <TextInput
                label={words.repository}
                placeholder="https://github.com/…"
                miw={180}
                error={errors.get('template.repository.url') ?? errors.get('template.repository')}
                value={form.url}
                onChange={event => set({ url: event.currentTarget.value })}
              />
              <TextInput
                label={words.ref}
                placeholder={words.refHint}
                error={errors.get('template.repository.ref')}
                value={form.ref}
                onChange={event => set({ ref: event.currentTarget.value })}
              />
            </Group>
            <EnvEditor
              label={text.newTask.env}
              rows={form.env}
              onChange={env => set({ env })}
              errorOf={name => (name ? errors.get(`template.env.${name}`) : undefined)}
              error={errors.get('template.env')}
            />
            <ScriptEditor
              label={words.setupScript}
              description={`${words.setupHint} ${text.fields.scriptKeys}`}
              minRows={3}
              error={errors.get('template.setupScript')}
              value={form.setupScript}
              onChange={setupScript => set({ setupScript })}
            />
            <ScriptEditor
              label={words.autoFixCommand}
              description={`${words.autoFixHint} ${text.fields.scriptKeys}`}
              minRows={2}
              error={errors.get('template.autoFixCommand')}
              value={form.autoFixCommand}
              onChange={autoFixCommand => set({ autoFixCommand })}
            />
          </Stack>
        </Fieldset>
        <FormButtons submitLabel={submitLabel} pending={saving.isPending} close={close} />
      </Stack>
    </form>
  )
}

/** Paths of errors that have a field to stand beside. */
const PLACED =
  /^(name|description|workspaceId|tags(\..*)?|template\.(repository(\.url|\.ref)?|env(\..*)?|setupScript|autoFixCommand))$/

const written = (given: Session | undefined) => ({
  name: given?.name ?? '',
  description: given?.description ?? '',
  tags: given?.tags.join(', ') ?? '',
  workspaceId: given?.workspaceId ?? '',
  url: given?.template?.repository?.url ?? '',
  ref: given?.template?.repository?.ref ?? '',
  env: rowsOf(given?.template?.env) as readonly EnvRow[],
  setupScript: given?.template?.setupScript ?? '',
  autoFixCommand: given?.template?.autoFixCommand ?? '',
})

/** Empty fields are null; a template without anything in it is none. */
function fieldsOf(form: ReturnType<typeof written>): SessionFields {
  const url = form.url.trim()
  const ref = form.ref.trim()
  const template = {
    // A ref alone is sent as well: the server says what is missing.
    repository: url || ref ? { url, ref: ref || null } : null,
    env: envOf(form.env),
    setupScript: form.setupScript.trim() ? form.setupScript : null,
    autoFixCommand: form.autoFixCommand.trim() ? form.autoFixCommand : null,
  }
  return {
    name: form.name.trim(),
    description: form.description.trim() || null,
    workspaceId: form.workspaceId.trim() || null,
    template: Object.values(template).some(value => value !== null) ? template : null,
    tags: form.tags
      .split(',')
      .map(tag => tag.trim())
      .filter(Boolean),
  }
}

'use client'

import { Button, Group, Modal, Stack } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconTool } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useRouter } from 'next/navigation'
import { type FormEvent, useState } from 'react'
import { MAX_AUTO_FIX_CHAIN, type TaskRow, type TaskView } from '#protocol/task.ts'
import { post, segment } from '../../lib/api.ts'
import { keys, useAutoFixChain, useSession } from '../../lib/queries.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { ScriptEditor } from '../fields/script-editor.tsx'
import { ErrorState } from '../states.tsx'

/** Makes the task that is to mend a failed one, where there is none yet; its command is the template's, or written here. */
export function AutoFixButton({ task }: { task: TaskRow }) {
  const text = useMessages().autoFix
  const [opened, { open, close }] = useDisclosure()
  const chain = useAutoFixChain(task).data?.content ?? []
  const mended = chain.some(one => one.autoFixOf === task.id && one.createdAt >= (task.finishedAt ?? ''))
  const full = task.autoFixChain.length + 1 >= MAX_AUTO_FIX_CHAIN
  if (task.status !== 'FAILED' || task.sessionId === null || full || mended) return null
  return (
    <>
      <Button
        size="compact-sm"
        variant="default"
        leftSection={<IconTool size={14} aria-hidden />}
        onClick={open}
      >
        {text.create}
      </Button>
      <Modal opened={opened} onClose={close} title={text.createTitle} size="lg">
        <Question task={task} sessionId={task.sessionId} close={close} />
      </Modal>
    </>
  )
}

function Question({ task, sessionId, close }: { task: TaskRow; sessionId: string; close(): void }) {
  const text = useMessages()
  const router = useRouter()
  const client = useQueryClient()
  const session = useSession(sessionId)
  const given = session.data?.template?.autoFixCommand ?? ''
  const [written, setWritten] = useState<string>()
  const command = written ?? given
  const creating = useMutation({
    mutationFn: () =>
      post<TaskView>(
        `/tasks/${segment(task.id)}/auto-fix`,
        command.trim() && command !== given ? { command } : {},
      ),
    onSuccess: fix => {
      void client.invalidateQueries({ queryKey: keys.taskLists })
      close()
      router.push(`/tasks/${encodeURIComponent(fix.id)}`)
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    creating.mutate()
  }
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <span>{text.autoFix.explanation}</span>
        {creating.isError && <ErrorState title={text.common.actionFailed} error={creating.error} />}
        <ScriptEditor
          label={text.sessions.autoFixCommand}
          description={`${given ? text.autoFix.fromTemplate : text.autoFix.noTemplate} ${text.fields.scriptKeys}`}
          minRows={3}
          value={command}
          onChange={setWritten}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {text.common.keep}
          </Button>
          <Button type="submit" loading={creating.isPending}>
            {text.autoFix.confirm}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

import { Alert, Button, Code, Group, Skeleton, Stack } from '@mantine/core'
import { IconAlertTriangle, IconCheck, IconCopy } from '@tabler/icons-react'
import { ApiError } from '../lib/api.ts'
import { useCopy } from '../lib/use-copy.ts'
import { useMessages } from '../messages/use-messages.ts'

/** Something could not be loaded: what, why, and a way to try again. */
export function ErrorState({
  title,
  error,
  onRetry,
}: {
  title?: string
  error: unknown
  onRetry?: () => void
}) {
  const text = useMessages().common
  return (
    <Alert
      color="red"
      variant="light"
      role="alert"
      icon={<IconAlertTriangle size={18} aria-hidden />}
      title={title ?? text.failed}
      m="md"
      styles={{ message: { whiteSpace: 'pre-wrap' } }}
    >
      {isUnreachable(error) ? text.unreachable : error instanceof Error ? error.message : String(error)}
      {onRetry && (
        <Group mt="sm">
          <Button size="compact-sm" variant="default" onClick={onRetry}>
            {text.retry}
          </Button>
        </Group>
      )}
    </Alert>
  )
}

/** No answer came, so that there are no words of the server's. */
const isUnreachable = (error: unknown): boolean => error instanceof ApiError && error.status === 0

export function LoadingRows({ rows = 6, height = 18 }: { rows?: number; height?: number }) {
  const text = useMessages().common
  return (
    <Stack gap={10} p="md" role="status" aria-label={text.loading}>
      {Array.from({ length: rows }, (_, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: placeholders have nothing else to tell them apart
        <Skeleton key={at} height={height} width={`${92 - ((at * 17) % 35)}%`} />
      ))}
    </Stack>
  )
}

/** A command to copy. */
export function Command({ text: command }: { text: string }) {
  return (
    <Group gap={6} wrap="nowrap" justify="center" maw="100%">
      <Code block style={{ textAlign: 'left', whiteSpace: 'pre-wrap', minWidth: 0 }}>
        {command}
      </Code>
      <Copy value={command} />
    </Group>
  )
}

interface CopyProps {
  /** The text, or what fetches it. */
  value: string | (() => Promise<string>)
  label?: string
}

export function Copy({ value, label }: CopyProps) {
  const text = useMessages().common
  const [state, copy] = useCopy()
  const Icon = state === 'copied' ? IconCheck : state === 'failed' ? IconAlertTriangle : IconCopy
  return (
    <Button
      size="compact-xs"
      variant="default"
      flex="none"
      loading={state === 'copying' && typeof value !== 'string'}
      onClick={() => copy(value)}
      leftSection={<Icon size={14} aria-hidden />}
    >
      {state === 'copied' ? text.copied : state === 'failed' ? text.notCopied : (label ?? text.copy)}
    </Button>
  )
}

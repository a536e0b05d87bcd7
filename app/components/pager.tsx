import { ActionIcon, Group } from '@mantine/core'
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react'
import type { Page } from '#protocol/page.ts'
import { useMessages } from '../messages/use-messages.ts'

/** Where in a list one is, and the way to its neighbours. */
export function Pager({ page, onChange }: { page: Page<unknown>; onChange(page: number): void }) {
  const text = useMessages().common
  const start = page.page * page.size
  return (
    <Group gap={4} wrap="nowrap" component="nav" aria-label={text.pages}>
      {page.totalPages > 1 && (
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={text.previous}
          disabled={page.first}
          onClick={() => onChange(page.page - 1)}
        >
          <IconChevronLeft size={16} aria-hidden />
        </ActionIcon>
      )}
      <span className="soft nums" style={{ fontSize: 12.5, whiteSpace: 'nowrap' }}>
        {text.range(start + 1, start + page.content.length, page.totalElements)}
      </span>
      {page.totalPages > 1 && (
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={text.next}
          disabled={page.last}
          onClick={() => onChange(page.page + 1)}
        >
          <IconChevronRight size={16} aria-hidden />
        </ActionIcon>
      )}
    </Group>
  )
}

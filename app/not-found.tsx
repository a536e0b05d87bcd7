'use client'

import { Center, Stack, Title } from '@mantine/core'
import Link from 'next/link'
import { useMessages } from './messages/use-messages.ts'

export default function NotFound() {
  const text = useMessages().common
  return (
    <Center mih="60dvh" component="main">
      <Stack align="center" gap="xs">
        <Title order={1} size="h4">
          {text.notFound}
        </Title>
        <Link href="/tasks">{text.toTasks}</Link>
      </Stack>
    </Center>
  )
}

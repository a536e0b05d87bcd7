'use client'

import { Center, Stack } from '@mantine/core'
import Link from 'next/link'
import { useMessages } from './messages/use-messages.ts'

export default function NotFound() {
  const text = useMessages().common
  return (
    <Center mih="60dvh" component="main">
      <Stack align="center" gap="xs">
        {text.notFound}
        <Link href="/tasks">{text.toTasks}</Link>
      </Stack>
    </Center>
  )
}

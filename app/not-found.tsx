import { Center, Stack } from '@mantine/core'
import Link from 'next/link'
import { en } from './messages/en.ts'

export default function NotFound() {
  return (
    <Center mih="60dvh" component="main">
      <Stack align="center" gap="xs">
        {en.common.notFound}
        <Link href="/tasks">{en.common.toTasks}</Link>
      </Stack>
    </Center>
  )
}

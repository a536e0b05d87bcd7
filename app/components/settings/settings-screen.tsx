'use client'

import { Stack, Title } from '@mantine/core'
import { useMe, useRights } from '../../lib/queries.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { ColorSchemeChoice } from '../color-scheme.tsx'
import { LanguageSelect } from '../language-choice.tsx'
import { ApiKeys } from './api-keys.tsx'

export function SettingsScreen() {
  const text = useMessages().settings
  const me = useMe()
  const { admin } = useRights()
  return (
    <Stack gap="xl" p="md" maw={1000} w="100%">
      <Title order={1} size="h3">
        {text.title}
      </Title>
      <section>
        <Title order={2} size="h5" mb="xs">
          {text.appearance}
        </Title>
        <Stack gap="sm" align="flex-start">
          <ColorSchemeChoice />
          <LanguageSelect />
        </Stack>
      </section>
      <section>
        <Title order={2} size="h5" mb="xs">
          {text.keys}
        </Title>
        {admin ? <ApiKeys /> : <span className="soft">{text.adminOnly}</span>}
      </section>
      <section>
        <Title order={2} size="h5" mb="xs">
          {text.about}
        </Title>
        <span className="soft">
          keruta · {text.version} {me.data?.version}
        </span>
      </section>
    </Stack>
  )
}

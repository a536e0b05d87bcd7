'use client'

import { Button, Drawer, Tabs } from '@mantine/core'
import { observedIn } from '#protocol/observed.ts'
import type { TaskView } from '#protocol/task.ts'
import { count } from '../../lib/format.ts'
import { readAddress, writeAddress } from '../../lib/log-url.ts'
import { useArtifacts } from '../../lib/queries.ts'
import { useAddress } from '../../lib/use-address.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { Artifacts } from '../artifacts/artifacts.tsx'
import { Overview } from './overview.tsx'
import { ScriptView } from './script-view.tsx'
import { Steps } from './steps.tsx'

const PANELS = ['details', 'artifacts', 'steps', 'script'] as const
type Panel = (typeof PANELS)[number]
const PARAM = 'panel'

/** Which part of a task, beside its log, is open; it stands in the page's address. */
function usePanel(): [Panel | undefined, (panel: Panel | undefined) => void] {
  const [params, change] = useAddress()
  const open = (panel: Panel | undefined) =>
    change(now => {
      if (panel) now.set(PARAM, panel)
      else now.delete(PARAM)
      return now
    })
  return [PANELS.find(panel => panel === params.get(PARAM)), open]
}

/** All of them fit beside each other on a narrow screen. */
const TIGHT = { tab: { paddingInline: 10 } }

/** What there is to open, with how many there are. */
export function PanelButtons({ task }: { task: TaskView }) {
  const text = useMessages().task
  const [, open] = usePanel()
  const artifacts = useArtifacts(task).data?.length ?? 0
  const shown: [Panel, number][] = [
    ['artifacts', artifacts],
    ['steps', observedIn(task).steps.length],
  ]
  return (
    <>
      <Button size="compact-xs" variant="default" onClick={() => open('details')}>
        {text.panels.details}
      </Button>
      {shown.map(
        ([panel, n]) =>
          n > 0 && (
            <Button key={panel} size="compact-xs" variant="default" onClick={() => open(panel)}>
              {text.panels[panel]} ({count(n)})
            </Button>
          ),
      )}
    </>
  )
}

/** Everything about a task that is not looked at all the time: facts and history, artifacts, steps and metrics, script. */
export function TaskPanel({ task }: { task: TaskView }) {
  const text = useMessages().task
  const [panel, open] = usePanel()
  const [, change] = useAddress()
  const artifacts = useArtifacts(task)
  const n = artifacts.data?.length ?? 0
  const observed = task.steps.length + task.metrics.length > 0
  const showStep = (step: string) =>
    change(now => {
      const params = writeAddress({ ...readAddress(now), step }, now)
      params.delete(PARAM)
      return params
    })
  return (
    <Drawer
      opened={panel !== undefined}
      onClose={() => open(undefined)}
      position="right"
      size="xl"
      title={text.panels[panel ?? 'details']}
    >
      <Tabs
        value={panel ?? 'details'}
        onChange={value => open(PANELS.find(one => one === value))}
        mt={-8}
        styles={TIGHT}
      >
        <Tabs.List mb="md">
          <Tabs.Tab value="details">{text.panels.details}</Tabs.Tab>
          <Tabs.Tab value="artifacts">
            {text.panels.artifacts}
            {n > 0 && ` (${count(n)})`}
          </Tabs.Tab>
          {observed && <Tabs.Tab value="steps">{text.panels.steps}</Tabs.Tab>}
          {task.script !== null && <Tabs.Tab value="script">{text.panels.script}</Tabs.Tab>}
        </Tabs.List>
        <Tabs.Panel value="details">
          <Overview task={task} />
        </Tabs.Panel>
        <Tabs.Panel value="artifacts">
          <Artifacts task={task} />
        </Tabs.Panel>
        <Tabs.Panel value="steps">
          <Steps task={task} onStep={showStep} />
        </Tabs.Panel>
        <Tabs.Panel value="script">
          <ScriptView task={task} />
        </Tabs.Panel>
      </Tabs>
    </Drawer>
  )
}

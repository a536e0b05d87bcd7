import { ActionIcon, Button } from '@mantine/core'
import {
  IconAdjustmentsHorizontal,
  IconArrowBarToDown,
  IconEraser,
  IconHelp,
  IconPlayerPause,
  IconPlayerPlay,
} from '@tabler/icons-react'
import { memo, type RefObject } from 'react'
import type { LogStats } from '#protocol/log-answers.ts'
import { isFiltered, type LogAddress } from '../../lib/log-url.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { SourceMenu, StepMenu, TimeMenu } from './filter-menus.tsx'
import { JumpMenu } from './jump-menu.tsx'
import { LevelToggles } from './level-toggles.tsx'
import { DownloadMenu, ViewMenu } from './log-menus.tsx'
import classes from './log-toolbar.module.css'
import { TextSearch } from './text-search.tsx'
import type { Found } from './use-find.ts'
import type { LogSettings } from './use-log-settings.ts'
import type { LogActions } from './use-log-view.ts'

interface LogToolbarProps {
  taskId: string
  address: LogAddress
  /** As it stands in the page's address, with a pattern that may not compile. */
  written: LogAddress
  change(part: Partial<LogAddress>): void
  settings: LogSettings
  set(part: Partial<LogSettings>): void
  actions: LogActions
  found: Found
  byLevel: LogStats['byLevel'] | undefined
  filtered: number | undefined
  following: boolean
  paused: boolean
  steps: readonly string[]
  field: RefObject<HTMLInputElement | null>
  /** Whether search and filter are unfolded where there is little room; elsewhere they always are. */
  opened: boolean
  toggleOpened(): void
  help(): void
  /** Whether the reader says where to go. */
  going: boolean
  setGoing(going: boolean): void
}

/** Drawn again when what it shows changes, not with every line. */
export const LogToolbar = memo(function LogToolbar(props: LogToolbarProps) {
  const { taskId, address, change, actions, following, paused } = props
  const text = useMessages().log
  const PauseIcon = paused ? IconPlayerPlay : IconPlayerPause
  const pauseLabel = paused ? text.resume : text.pause
  return (
    <section className={classes.toolbar} aria-label={text.toolbar} data-opened={props.opened || undefined}>
      <Button
        size="compact-xs"
        className={classes.disclosure}
        variant={isFiltered(address) || address.find ? 'filled' : 'default'}
        aria-expanded={props.opened}
        leftSection={<IconAdjustmentsHorizontal size={13} aria-hidden />}
        onClick={props.toggleOpened}
      >
        {text.controls}
      </Button>
      <TextSearch
        address={props.written}
        change={change}
        found={props.found}
        filtered={props.filtered}
        step={actions.step}
        field={props.field}
      />
      <div className={`${classes.group} ${classes.right}`}>
        <Button
          size="compact-xs"
          variant={following ? 'filled' : 'default'}
          aria-pressed={following}
          title={text.followHint}
          leftSection={<IconArrowBarToDown size={13} aria-hidden />}
          onClick={actions.toggleFollow}
        >
          {text.follow}
        </Button>
        <ActionIcon
          size={22}
          variant={paused ? 'filled' : 'default'}
          color={paused ? 'orange' : undefined}
          aria-label={pauseLabel}
          aria-pressed={paused}
          title={pauseLabel}
          onClick={actions.togglePause}
        >
          <PauseIcon size={14} aria-hidden />
        </ActionIcon>
        <ActionIcon
          size={22}
          variant="default"
          aria-label={text.clear}
          title={text.clear}
          onClick={actions.toggleCleared}
        >
          <IconEraser size={14} aria-hidden />
        </ActionIcon>
        <div className={`${classes.group} ${classes.folded}`}>
          <JumpMenu actions={actions} opened={props.going} setOpened={props.setGoing} />
          <ViewMenu settings={props.settings} set={props.set} toggleFolds={actions.toggleFolds} />
          <DownloadMenu taskId={taskId} address={address} />
          <ActionIcon
            size={22}
            variant="subtle"
            color="gray"
            aria-label={text.help}
            title={text.help}
            onClick={props.help}
          >
            <IconHelp size={16} aria-hidden />
          </ActionIcon>
        </div>
      </div>
      <div className={`${classes.group} ${classes.filters}`}>
        <LevelToggles counts={props.byLevel} chosen={address.level} onChange={level => change({ level })} />
        <SourceMenu address={address} change={change} />
        <StepMenu address={address} change={change} steps={props.steps} />
        <TimeMenu address={address} change={change} />
      </div>
    </section>
  )
})

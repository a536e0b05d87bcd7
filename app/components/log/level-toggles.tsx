import { LEVELS, type Level } from '#protocol/levels.ts'
import { count, shortCount } from '../../lib/format.ts'
import { useMessages } from '../../messages/use-messages.ts'
import classes from './log-toolbar.module.css'

interface LevelTogglesProps {
  counts: Record<Level, number> | undefined
  chosen: readonly Level[]
  onChange(levels: Level[]): void
}

/** Lines by level; pressing some shows only those. */
export function LevelToggles({ counts, chosen, onChange }: LevelTogglesProps) {
  const text = useMessages().log
  const toggle = (level: Level) => {
    const next = LEVELS.filter(one => (one === level ? !chosen.includes(one) : chosen.includes(one)))
    onChange(next.length === LEVELS.length ? [] : next)
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would bring borders and a legend
    <div className={classes.levels} role="group" aria-label={text.levelLabel}>
      {LEVELS.map(level => (
        <button
          type="button"
          key={level}
          className={classes.levelToggle}
          data-level={level}
          aria-pressed={chosen.includes(level)}
          aria-label={text.levelToggle(text.levels[level], counts?.[level] ?? 0)}
          title={`${text.levels[level]}: ${count(counts?.[level] ?? 0)}`}
          onClick={() => toggle(level)}
        >
          {text.levels[level]}{' '}
          <span className={classes.levelCount}>{counts ? shortCount(counts[level]) : '–'}</span>
        </button>
      ))}
    </div>
  )
}

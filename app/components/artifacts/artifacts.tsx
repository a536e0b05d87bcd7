'use client'

import type { TaskView } from '#protocol/task.ts'
import { bytes, count } from '../../lib/format.ts'
import { useArtifacts } from '../../lib/queries.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { ErrorState, LoadingRows } from '../states.tsx'
import { ArtifactItem } from './artifact-item.tsx'
import classes from './artifacts.module.css'

/** The files that a task left behind, and those on their way. */
export function Artifacts({ task }: { task: TaskView }) {
  const text = useMessages().artifacts
  const artifacts = useArtifacts(task)
  if (artifacts.isError && !artifacts.data)
    return <ErrorState error={artifacts.error} onRetry={() => void artifacts.refetch()} />
  if (!artifacts.data) return <LoadingRows rows={3} />
  if (artifacts.data.length === 0) {
    return (
      <p className={classes.none}>
        {text.none} <span className="soft">{text.noneHint}</span>
      </p>
    )
  }
  const total = artifacts.data.reduce((sum, { size }) => sum + size, 0)
  return (
    <>
      <p className={classes.none}>{text.total(count(artifacts.data.length), bytes(total))}</p>
      <ul className={classes.list}>
        {artifacts.data.map(artifact => (
          <ArtifactItem key={artifact.id} artifact={artifact} />
        ))}
      </ul>
    </>
  )
}

'use client'

import { ActionIcon, Button, Progress } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconDownload, IconEye, IconEyeOff, IconTrash } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { ArtifactView } from '#protocol/artifact.ts'
import { plainText } from '../../lib/ansi.ts'
import { apiUrl, del, segment } from '../../lib/api.ts'
import { bytes } from '../../lib/format.ts'
import { keys, useRights } from '../../lib/queries.ts'
import { useCopy } from '../../lib/use-copy.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { Confirmed } from '../confirmed.tsx'
import { Age } from '../time.tsx'
import classes from './artifacts.module.css'
import { Preview } from './preview.tsx'

export function ArtifactItem({ artifact }: { artifact: ArtifactView }) {
  const text = useMessages()
  const words = text.artifacts
  const client = useQueryClient()
  const { admin } = useRights()
  const [shown, setShown] = useState(false)
  const { id, path, size, complete, preview, description } = artifact
  const name = plainText(path)
  const url = apiUrl(`/artifacts/${segment(id)}/content`)
  const remove = async () => {
    await del(`/artifacts/${segment(id)}`)
    void client.invalidateQueries({ queryKey: keys.artifacts(artifact.taskId) })
    notifications.show({ message: words.deleted(name) })
  }
  const previewed = complete && preview !== null && preview.kind !== 'none'
  return (
    <li className={classes.item} data-testid="artifact">
      <div className={classes.line}>
        <span className={classes.path}>{name}</span>
        <span className={classes.tools}>
          {previewed && (
            <Button
              size="compact-xs"
              variant="default"
              aria-expanded={shown}
              aria-label={words.previewOf(name)}
              leftSection={shown ? <IconEyeOff size={13} aria-hidden /> : <IconEye size={13} aria-hidden />}
              onClick={() => setShown(!shown)}
            >
              {shown ? words.hide : words.preview}
            </Button>
          )}
          {complete && (
            <ActionIcon
              component="a"
              href={url}
              download={name.split('/').at(-1)}
              variant="default"
              size={26}
              aria-label={words.download(name)}
              title={words.download(name)}
            >
              <IconDownload size={14} aria-hidden />
            </ActionIcon>
          )}
          {admin && (
            <Confirmed
              label={words.remove(name)}
              icon={<IconTrash size={14} aria-hidden />}
              iconOnly
              title={words.removeTitle}
              explanation={words.removeText(name)}
              confirm={words.removeConfirm}
              danger
              run={remove}
            />
          )}
        </span>
      </div>
      <div className={classes.facts}>
        <span>{bytes(size)}</span>
        <span>{artifact.contentType}</span>
        {preview?.width && preview.height && (
          <span>
            {preview.width} × {preview.height}
          </span>
        )}
        <span>
          <Age at={artifact.createdAt} />
        </span>
        {artifact.sha256 && complete && <Sha256 value={artifact.sha256} />}
      </div>
      {description && <div className={classes.description}>{plainText(description)}</div>}
      {!complete && <Arriving artifact={artifact} />}
      {shown && previewed && <Preview url={url} name={name} size={size} kind={preview.kind} />}
    </li>
  )
}

function Sha256({ value }: { value: string }) {
  const text = useMessages()
  const [state, copy] = useCopy()
  return (
    <button
      type="button"
      className={classes.sha}
      title={`${text.artifacts.copySha}: ${value}`}
      onClick={() => copy(value)}
    >
      {state === 'copied'
        ? text.common.copied
        : state === 'failed'
          ? text.common.notCopied
          : `sha256 ${value.slice(0, 12)}…`}
    </button>
  )
}

function Arriving({ artifact: { receivedBytes, size, path } }: { artifact: ArtifactView }) {
  const text = useMessages().artifacts
  const percent = size > 0 ? Math.floor((receivedBytes / size) * 100) : 0
  return (
    <div className={classes.arriving}>
      <Progress
        value={percent}
        aria-label={text.arrivingOf(plainText(path))}
        size="sm"
        className={classes.bar}
      />
      <span className="nums">{text.arriving(percent, bytes(receivedBytes), bytes(size))}</span>
    </div>
  )
}

/**
 * The process of all neighbours, one at a time: a message with a name lets one in, a message with '' asks it to leave.
 * The server's port is the argument. Answers with '' when it has gone.
 */
import { setPriority } from 'node:os'
import { NEIGHBOURS } from './neighbours.ts'

/** What it costs others is to be the server's doing, not that of a scarce processor. */
const PRIORITY_LOWEST = 19

const port = Number(process.argv[2])
let leave = (): void => undefined

async function letIn(name: string): Promise<void> {
  let isOver = false
  leave = () => (isOver = true)
  await NEIGHBOURS[name]?.run(port, () => isOver)
  process.send?.('')
}

setPriority(PRIORITY_LOWEST)
process.on('message', (name) => {
  if (typeof name === 'string' && name !== '') void letIn(name)
  else leave()
})

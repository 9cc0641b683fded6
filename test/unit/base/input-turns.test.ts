import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createInputTurns, type InputTurns } from '../../../component/base/input-turns.ts'

const ALICE = { name: 'alice' }
const BOB = { name: 'bob' }

interface Scene {
  readonly turns: InputTurns
  /** What was done, and `later` for what was put off to the end of the turn of the event loop. */
  readonly done: string[]
}

function openScene(): Scene {
  const done: string[] = []
  return { done, turns: createInputTurns(() => done.push('later')) }
}

/** Takes in chunks that each defer something. */
function chunks({ turns, done }: Scene, source: object, count: number, bytes = 100): void {
  for (let index = 0; index < count; index += 1) {
    turns.begin(source, bytes)
    turns.defer(() => done.push('at the end of the chunk'))
    done.push('taken in')
    turns.end()
  }
}

test('what is deferred outside of a chunk waits for the turn of the event loop', () => {
  const scene = openScene()
  chunks(scene, ALICE, 100)
  scene.done.length = 0
  scene.turns.defer(() => assert.fail('not run here'))
  assert.deepEqual(scene.done, ['later'])
})

test('the chunks of a source that talks alone are turns of their own, after some time', () => {
  const scene = openScene()
  chunks(scene, ALICE, 32)
  assert.equal(scene.done.filter((what) => what === 'later').length, 32)
  scene.done.length = 0
  chunks(scene, ALICE, 1)
  assert.deepEqual(scene.done, ['taken in', 'at the end of the chunk'])
})

test('another source ends that at once', () => {
  const scene = openScene()
  chunks(scene, ALICE, 100)
  scene.done.length = 0
  chunks(scene, BOB, 1)
  chunks(scene, ALICE, 1)
  assert.deepEqual(scene.done, ['later', 'taken in', 'later', 'taken in'])
})

test('a chunk that fills the buffer of a read waits for the next one', () => {
  const scene = openScene()
  chunks(scene, ALICE, 100)
  scene.done.length = 0
  chunks(scene, ALICE, 1, 65_536)
  assert.deepEqual(scene.done, ['later', 'taken in'])
})

test('several actions of a chunk run in their order', () => {
  const scene = openScene()
  chunks(scene, ALICE, 100)
  scene.turns.begin(ALICE, 1)
  const order: number[] = []
  for (const number of [1, 2, 3]) scene.turns.defer(() => order.push(number))
  assert.deepEqual(order, [])
  scene.turns.end()
  assert.deepEqual(order, [1, 2, 3])
})
